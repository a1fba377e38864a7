"""Attention that follows given alignments: from files through records to training and scores."""

import keras
import numpy as np
import pytest

import rnnpipe
from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks import make_task
from rnnpipe.text.tokenizer import Tokenizer, train_tokenizer
from rnnpipe.text.word_alignment import align_tokens, parse_links
from rnnpipe.training.guided_alignment import guided_alignment_loss

WORDS = [f"{a}{b}" for a in "bdgk" for b in "aeio"]


def write_pairs(folder, count=160):
    """Sentences and the same backwards, in capitals, with their alignments."""
    random = np.random.default_rng(1)
    folder.mkdir()
    files = {name: [] for name in ("x", "y", "align")}
    for _ in range(count):
        words = random.choice(WORDS, random.integers(4, 7)).tolist()
        files["x"].append(" ".join(words))
        files["y"].append(" ".join(word.upper() + "u" for word in reversed(words)))
        files["align"].append(" ".join(f"{i}-{len(words) - 1 - i}" for i in range(len(words))))
    for name, lines in files.items():
        (folder / f"train.{name}").write_text("\n".join(lines) + "\n")


def make_settings(folder, **further):
    return {
        "data.directory": str(folder / "records"),
        "data.source": {
            "kind": "parallel",
            "path": str(folder / "raw"),
            "source": "x",
            "target": "y",
            "alignments": "align",
        },
        "data.text": {"tokenizer": "word", "joint": False, "vocabulary": 40, "max_tokens": 10},
        "data.splits": {"validation": 0.1, "test": 0.2},
        "build.workers": 1,
        "model.embedding.size": 12,
        "model.encoder.cell": {"kind": "gru", "units": 12},
        "model.decoder.cell": {"kind": "gru", "units": 16},
        "model.decoder.attention.units": 12,
        "train.batch_size": 16,
        "train.optimizer": {"learning_rate": 0.02, "schedule": {"kind": "constant"}},
        "evaluate.search": {"beam_width": 1, "n_best": 1, "max_length": 30},
        **further,
    }


def build(folder, **further):
    settings = make_settings(folder, **further)
    return settings, rnnpipe.build("translation", settings, verbose=False)


def test_words_that_are_linked_are_linked_by_all_their_subwords(tmp_path):
    write_pairs(tmp_path / "raw", count=30)
    text = {"tokenizer": "bpe", "joint": False, "vocabulary": 24, "max_tokens": 40}
    _, records = build(tmp_path, **{"data.text": text})
    assert records.spec.name == "aligned_text_pair"
    tokenizers = [Tokenizer.load(records.path / side) for side in (SOURCE, TARGET)]
    for row in records.read("test"):
        texts = row["source"].split(), row["target"].split()
        places = [
            [place for place, word in enumerate(words) for _ in tokenizer.split(word)]
            for words, tokenizer in zip(texts, tokenizers, strict=True)
        ]
        last = len(texts[0]) - 1
        expected = [
            (s + 1, t + 1)
            for s, word in enumerate(places[0])
            for t, other in enumerate(places[1])
            if other == last - word
        ]
        assert list(zip(row["links"][::2], row["links"][1::2], strict=True)) == expected


def train(records, settings, weight):
    """The losses, and the scores, of a model that is trained for a few epochs."""
    settings = {**settings, "train.guided_alignment": weight, "train.epochs": 12}
    task = make_task(rnnpipe.load_config("translation", settings))
    keras.utils.set_random_seed(4)
    model = task.build_model(records)
    trainer = task.build_trainer(model, records)
    batches = task.make_batches(records, "train", shuffle_seed=1)
    validation = task.make_batches(records, "validation")
    history = trainer.fit(batches, validation_data=validation, epochs=12, verbose=0, shuffle=False)
    return history.history, task.evaluate(model, records, "test").scores


def test_attention_learns_from_given_alignments(tmp_path):
    write_pairs(tmp_path / "raw")
    settings, records = build(tmp_path)
    _, without = train(records, settings, 0.0)
    history, guided = train(records, settings, 2.0)
    assert guided["alignment_error_rate"] < without["alignment_error_rate"] - 0.1
    assert history["loss"][-1] > history["val_loss"][-1]  # the validation has no such term


def test_the_loss_is_the_cross_entropy_of_the_tokens_with_links():
    random = np.random.default_rng(0)
    alignments = random.dirichlet(np.ones(5), size=(2, 3)).astype("float32")
    given = np.zeros((2, 3, 5), "float32")
    given[0, 0, 1] = given[0, 0, 2] = given[1, 2, 4] = 1
    first = -np.log(alignments[0, 0, [1, 2]]).mean()
    expected = (first - np.log(alignments[1, 2, 4])) / 2
    assert float(guided_alignment_loss(alignments, given)) == pytest.approx(expected, rel=1e-5)
    assert float(guided_alignment_loss(alignments, 0 * given)) == 0


def test_links_of_words_become_links_of_tokens():
    words = train_tokenizer({"a": 3, "b": 2}, kind="word", vocabulary=9)
    letters = train_tokenizer({"ab": 3, "c": 2}, kind="char", vocabulary=9)
    links = parse_links("0-1 1-0 1-1")
    sides = (words, "a. b"), (letters, "ab c")
    # The point of `a.` is a token of its own; of letters the space before a word is one too.
    expected = [
        *((0, t) for t in (3, 4)),
        *((1, t) for t in (3, 4)),
        *((2, t) for t in range(5)),
    ]
    assert align_tokens(links, *sides, 9) == expected
    assert align_tokens(links, *sides, 2) == [(p, t) for p, t in expected if p < 2 and t < 2]
    assert parse_links("") == []
    for line, reason in (("0:1", "no link of two words such as 0-0: '0:1'"), ("0-", "no link")):
        with pytest.raises(BadRecord, match=reason):
            parse_links(line)
    with pytest.raises(BadRecord, match="no word 2 in the source text of 2 words"):
        align_tokens([(2, 0)], *sides, 9)


def test_mistakes_are_named(tmp_path):
    with pytest.raises(UserError, match=r"guided_alignment.*expected 0 without word alignments"):
        rnnpipe.load_config("translation", {"train.guided_alignment": 0.5})
    settings = make_settings(tmp_path, **{"train.guided_alignment": 0.5})
    with pytest.raises(UserError, match=r"expected 0 with subword_sampling or source_noise"):
        rnnpipe.load_config("translation", {**settings, "train.source_noise": {"drop": 0.1}})
    write_pairs(tmp_path / "raw", count=4)
    (tmp_path / "raw" / "train.align").write_text("0-0\n")
    with pytest.raises(UserError, match=r"same number of lines in both languages and the al"):
        rnnpipe.build("translation", settings, verbose=False)
    (tmp_path / "raw" / "train.align").unlink()
    with pytest.raises(UserError, match=r"expected a file train.align or train.align.gz, got none"):
        rnnpipe.build("translation", settings, verbose=False)
