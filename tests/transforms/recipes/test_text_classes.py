import json

import pytest
import tensorflow_datasets as tfds

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.splits import FIX_FILES
from rnnpipe.sources.text.fields import refer_text
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.sources.text.table import ClassTable
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.text_classes import (
    ClassTextOptions,
    TextClassEncoder,
    TextClassRecipe,
)
from rnnpipe.transforms.recipes.tokenization import RepeatOptions


@pytest.fixture
def reviews(tmp_path):
    """Six training and three test rows: a duplicate, a leak, an unknown class and an empty text."""
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "train.csv").write_text(
        "text,label\nGood film!,10\nBad film.,2\nbad  film.,2\nSo so,9\nold,2\n,2\n"
    )
    (tmp_path / "raw" / "test.csv").write_text("text,label\nOld,2\nQuite new,9\nnew,7\n")
    (tmp_path / "raw" / "more.csv").write_text("text,label\nnew,2\n")
    source = ClassTable(path=tmp_path / "raw")
    source.prepare(lambda done, total: None)
    return source


def test_records_have_the_content_of_the_raw_data(reviews, tmp_path):
    recipe = TextClassRecipe(text=ClassTextOptions(vocabulary=9, max_tokens=2))
    records = Build(reviews, recipe, {}, max_bad_fraction=0.3).run(tmp_path / "records")
    assert records.labels == ["2", "9", "10"]
    read = {record["text_id"]: record for record in records.read("train")}
    pieces = Tokenizer.load(records.path).pieces
    assert read["train.csv:2"] == {
        "text_id": "train.csv:2",
        "text": "Good film!",
        "tokens": [1, pieces.index("▁film")],  # nine tokens: five words, `good` not among them
        "label": 2,
    }
    assert {key: record["label"] for key, record in read.items()} == {
        "train.csv:2": 2,
        "train.csv:3": 0,
        "train.csv:4": 0,
        "train.csv:5": 1,
        "train.csv:6": 0,
    }
    letters = {letter["key"]: letter["reason"] for letter in records.dead_letters()}
    assert letters == {
        "train.csv:7": "the text is empty",
        "test.csv:4": "the training split has no '7'",
    }
    _check_stats(json.loads((records.path / "stats.json").read_text()))
    builder = tfds.builder_from_directory(str(records.path))
    rows = list(tfds.as_numpy(builder.as_dataset(split="test")))
    assert sorted(row["text"].decode() for row in rows) == ["Old", "Quite new"]


def _check_stats(stats):
    assert stats["read"] == 9
    assert stats["written"] == 7
    assert stats["training_labels"] == {"10": 1, "2": 3, "9": 1}
    train = stats["splits"]["train"]
    assert train["histograms"]["tokens"] == {"1": 1, "2": 1, "3": 3}
    assert train["histograms"]["tokens_cut"] == {"0": 2, "1": 3}
    assert train["histograms"]["label"] == {"0": 3, "1": 1, "2": 1}
    tokens = 1 + 2 + 3 * 3
    assert train["rates"]["tokens_cut"] == pytest.approx(3 / tokens)
    words = stats["words"]["text"]
    assert (words["running"], words["distinct"]) == (tokens, 7)
    assert words["coverage"] == pytest.approx(1 - train["rates"]["tokens_unknown"])
    assert stats["duplicates"]["text"] == {
        "duplicates": {"train": 1},
        "leaks": {"test in train": 1},
    }
    left_out, *duplicates = stats["notices"]
    assert left_out == f"data.source: more.csv is not read; {FIX_FILES}"
    assert duplicates == [
        "the text of 1 of 3 test records is in train too",
        "the text of 1 of 5 train records occurs before in the same split",
    ]


def test_duplicates_are_dropped_where_asked(reviews, tmp_path):
    recipe = TextClassRecipe(repeats=RepeatOptions(duplicates="drop", leaks="drop"))
    records = Build(reviews, recipe, {}, max_bad_fraction=0.3).run(tmp_path / "records")
    kept = {record["text_id"] for record in records.read("train")}
    assert kept == {"train.csv:2", "train.csv:3", "train.csv:5"}
    assert records.splits["test"] == 2
    assert records.stats["dropped"] == {"duplicate in train": 1, "in train and in another split": 1}
    assert records.stats["read"] == 9
    assert "1 records dropped: duplicate in train" in records.stats["notices"]


def test_raw_data_without_records_is_read_once(tmp_path):
    (tmp_path / "train.csv").write_text("text,label\n")
    source, stages = ClassTable(path=tmp_path), []
    with pytest.raises(UserError, match="at least one record for train, got none of 0"):
        Build(source, TextClassRecipe(), {"test": 0.1}).run(
            tmp_path / "records", progress=lambda stage, *counts: stages.append(stage)
        )
    assert stages == ["counting"]


def test_every_text_is_in_one_split_alone(tmp_path):
    for label in ("neg", "pos"):
        lines = [f"{label} sentence number {i} of {i % 7}\n" for i in range(60)]
        (tmp_path / f"a.{label}").write_text("".join([*lines, *lines[:3], "\n"]))
    recipe = TextClassRecipe(
        text=ClassTextOptions(tokenizer="bpe", vocabulary=60),
        repeats=RepeatOptions(duplicates="drop"),
    )
    shares = {"validation": 0.1, "test": 0.2}
    build = Build(LabelFiles(path=tmp_path), recipe, shares, records_per_shard=20)
    records = build.run(tmp_path / "records")
    texts = {split: {r["text"] for r in records.read(split)} for split in records.splits}
    assert sum(map(len, texts.values())) == len(set.union(*texts.values())) == 120


def make_encoder(**options):
    text = ClassTextOptions(vocabulary=100, **options)
    return TextClassEncoder(
        TextClassRecipe(text=text),
        text.train({"a": 4, "b": 3, "c": 2, "d": 1}),
        {"neg": 0, "pos": 1},
    )


@pytest.mark.parametrize(("keep", "tokens"), [("start", [4, 5, 6]), ("end", [6, 5, 7])])
def test_truncation_keeps_the_chosen_end(keep, tokens):
    encoder = make_encoder(max_tokens=3, keep=keep)
    encoded = encoder.encode(refer_text("k", "train", text="a b c b d", label="pos"))
    assert encoded.values["tokens"] == tokens
    assert encoded.measures == {"tokens": 5, "tokens_cut": 2, "tokens_unknown": 0, "label": 1}


def test_texts_without_tokens_are_refused():
    with pytest.raises(BadRecord, match="no token is left of it"):
        make_encoder().encode(refer_text("k", "train", text="\x00\u00ad", label="pos"))


def test_a_single_class_is_refused(tmp_path):
    recipe = TextClassRecipe()
    counts = {"labels": {"pos": 3}, "words": {"a": 3}}
    with pytest.raises(
        UserError, match="expected texts of two classes or more to train on, got pos alone"
    ):
        recipe.learn(counts, tmp_path)
