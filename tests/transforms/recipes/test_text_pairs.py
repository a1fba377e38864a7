import gzip
from collections import Counter
from dataclasses import replace

import pytest
import tensorflow_datasets as tfds

from rnnpipe.errors import BadRecord
from rnnpipe.sources.text.fields import refer_pair
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.text.normalize import JOIN, Normalizer
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.base import Dropped
from rnnpipe.transforms.recipes.text_pairs import (
    PairTextOptions,
    TextPairEncoder,
    TextPairRecipe,
)
from rnnpipe.transforms.recipes.tokenization import NormalizeOptions, RepeatOptions

WORDS = PairTextOptions(tokenizer="word", vocabulary=50)
POINT = f"▁{JOIN}."  # one that touches the word before it


@pytest.fixture
def parallel(tmp_path):
    """Six training pairs (one twice, one leaked, one too long, one half empty), two test pairs."""
    folder = tmp_path / "raw"
    folder.mkdir()
    train = [
        ("Ein Hund.", "A dog."),
        ("ein hund.", "a dog."),
        ("Eine Katze", "A cat"),
        ("eins zwei drei vier fünf sechs", "one to six"),
        ("halb", ""),
        ("Eine Maus", "A cat"),
    ]
    test = [("Eine Katze", "One cat"), ("eins zwei drei vier fünf sechs sieben", "to seven")]
    for side, language in enumerate(("de", "en")):
        for split, pairs in (("train", train), ("test", test)):
            text = "".join(f"{pair[side]}\n" for pair in pairs)
            (folder / f"{split}.{language}").write_bytes(gzip.compress(text.encode()))
    source = Parallel(path=folder, source="de", target="en")
    source.prepare(lambda done, total: None)
    return source


def test_records_have_the_content_of_the_raw_data(parallel, tmp_path):
    recipe = TextPairRecipe(text=replace(WORDS, joint=False, max_tokens=5))
    records = Build(parallel, recipe, {}, max_bad_fraction=0.3).run(tmp_path / "records")
    read = {record["pair_id"]: record for record in records.read("train")}
    assert sorted(read) == ["train:1", "train:2", "train:3", "train:6"]
    sides = {side: Tokenizer.load(records.path / side) for side in ("source", "target")}
    record = read["train:1"]
    assert (record["source"], record["target"]) == ("Ein Hund.", "A dog.")
    assert [sides["source"].pieces[i] for i in record["source_tokens"]] == ["▁ein", "▁hund", POINT]
    assert [sides["target"].pieces[i] for i in record["target_tokens"]] == ["▁a", "▁dog", POINT]
    long = next(record for record in records.read("test") if record["target"] == "to seven")
    assert long["source"] == "eins zwei drei vier fünf sechs sieben"
    assert len(long["source_tokens"]) == 5
    stats = records.stats
    assert stats["dropped"] == {"a training pair of more than 5 tokens": 1}
    assert stats["dead_letters"] == {"read text": 1}
    assert stats["read"] == 8
    assert stats["duplicates"] == {
        "pair": {"duplicates": {"train": 1}, "leaks": {}},
        "source": {"duplicates": {"train": 1}, "leaks": {"test in train": 1}},
        "target": {"duplicates": {"train": 2}, "leaks": {}},
    }
    assert stats["splits"]["test"]["histograms"]["source_tokens_cut"] == {"0": 1, "2": 1}
    rows = tfds.as_numpy(tfds.builder_from_directory(str(records.path)).as_dataset(split="train"))
    assert sorted(row["pair_id"].decode() for row in rows) == sorted(read)


def test_duplicates_are_dropped_and_a_joint_tokenizer_is_one(parallel, tmp_path):
    recipe = TextPairRecipe(text=WORDS, repeats=RepeatOptions(duplicates="drop", leaks="drop"))
    records = Build(parallel, recipe, {}, max_bad_fraction=0.3).run(tmp_path / "records")
    assert {r["pair_id"] for r in records.read("train")} == {"train:1", "train:4", "train:6"}
    source, target = (Tokenizer.load(records.path / side) for side in ("source", "target"))
    assert source.model_bytes == target.model_bytes
    assert {"▁hund", "▁dog"} <= {*source.pieces}
    assert records.stats["joint"]


def make_encoder(max_tokens):
    tokenizer = WORDS.train({"a": 4, "b": 3, "c": 2})
    return TextPairEncoder(max_tokens, {"source": tokenizer, "target": tokenizer})


def test_long_pairs_are_dropped_from_training_alone():
    def encode(part):
        return make_encoder(2).encode(refer_pair("k", part, source="a b c", target="a"))

    with pytest.raises(Dropped, match="a training pair of more than 2 tokens"):
        encode("train")
    for part in ("validation", "test"):
        encoded = encode(part)
        assert encoded.values["source_tokens"] == [4, 5]
        assert encoded.values["source"] == "a b c"
        assert encoded.measures["source_tokens_cut"] == 1


def test_sides_without_tokens_are_refused():
    with pytest.raises(BadRecord, match="no token is left of the target text"):
        make_encoder(9).encode(refer_pair("k", "train", source="a", target="\u00ad"))


@pytest.mark.parametrize("kind", ["bpe", "unigram", "char", "word"])
def test_decoding_restores_the_normalised_text(shared_data, kind):
    """What scores are computed on: no space too many, no mark apart, whatever the language."""
    source = Parallel(path=shared_data / "multi30k", source="de", target="fr")
    [partition] = [
        partition for partition in source.partitions() if partition.files.split == "test"
    ]
    texts = [text for r in source.read(partition) for text in r.fields.values()]
    options = PairTextOptions(tokenizer=kind, normalize=NormalizeOptions(lowercase=False))
    normalizer = options.normalizer
    tokenizer = options.train(Counter(word for t in texts for word in normalizer(t).split()))
    whole = Normalizer(lowercase=False, split_punctuation=False)
    normal = [whole(text) for text in texts]
    assert [tokenizer.decode(tokenizer.encode(text)) for text in texts] == normal
    assert sum("," in text or "." in text for text in normal) > 1000
