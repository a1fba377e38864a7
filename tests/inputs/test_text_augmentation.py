"""Texts that are cut otherwise, or lose and move words, in every epoch of training."""

import json
from collections import Counter

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.inputs.pools import make_pooled_batches
from rnnpipe.inputs.text_augmentation import (
    SubwordSamplingOptions,
    TextField,
    TextNoiseOptions,
    augment_texts,
)
from rnnpipe.inputs.token_batches import make_token_batches
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import shard_name
from rnnpipe.records.specs import TEXT_PAIR
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.text.tokenizer import train_tokenizer
from rnnpipe.training.fit import _skip_passes

WORDS = ["lower", "newest", "widest", "lowest", "wider", "newer", "slower", "slowest"]
COUNT, LIMIT = 60, 64
ALPHAS = {"bpe": 0.3, "unigram": 0.05}
FIELDS = ("source_tokens", "target_tokens")


@pytest.fixture(scope="module", params=["bpe", "unigram"])
def tokenizer(request):
    counts = {word: 5 + place for place, word in enumerate(WORDS)}
    return train_tokenizer(counts, kind=request.param, vocabulary=40)


@pytest.fixture
def records(tokenizer, tmp_path):
    """Pairs of sentences of one to eight words; the target is the source backwards."""
    random = np.random.default_rng(3)
    texts = [" ".join(random.choice(WORDS, 1 + i % 8)) for i in range(COUNT)]
    rows = [
        {
            "pair_id": str(i),
            "source": text,
            "target": " ".join(reversed(text.split())),
            "source_tokens": tokenizer.encode(text),
            "target_tokens": tokenizer.encode(" ".join(reversed(text.split()))),
        }
        for i, text in enumerate(texts)
    ]
    path = tmp_path / shard_name(TEXT_PAIR.name, "train", 0, 1)
    write_tfrecord(path, [encode_example(TEXT_PAIR, row) for row in rows])
    lengths = Counter(len(row["target_tokens"]) for row in rows)
    train = {
        "records": COUNT,
        "shard_records": [COUNT],
        "num_bytes": path.stat().st_size,
        "histograms": {"target_tokens": dict(lengths)},
    }
    stats = {"kind": TEXT_PAIR.name, "splits": {"train": train}}
    (tmp_path / "stats.json").write_text(json.dumps(stats))
    return RecordsDirectory(tmp_path)


def make_fields(tokenizer, limit=LIMIT, keep=None, alpha=None):
    sampling = SubwordSamplingOptions(alpha=alpha or ALPHAS[tokenizer.kind])
    return [
        TextField(side, f"{side}_tokens", tokenizer, limit, keep, sampling)
        for side in ("source", "target")
    ]


def make_batches(records, fields, make=make_pooled_batches, **options):
    options = options or {"batch_size": 7}
    names = (*FIELDS, "source", "target")
    batches = make(records, "train", fields=names, by=FIELDS, shuffle_seed=5, **options)
    return augment_texts(batches, fields, seed=5)


def rows_of(batches):
    """The text and the tokens of both sides of every record, in the order of the batches."""
    rows = []
    for batch in batches.as_numpy_iterator():
        for source, target, *tokens in zip(
            *(batch[name] for name in ("source", "target", *FIELDS)), strict=True
        ):
            rows.append((source.decode(), target.decode(), *(ids.tolist() for ids in tokens)))
    return rows


def strip(tokens):
    return [token for token in tokens if token]


@pytest.mark.parametrize(
    ("make", "options"),
    [(make_pooled_batches, {"batch_size": 7}), (make_token_batches, {"tokens": 96})],
)
def test_samples_are_the_same_text_otherwise_cut(tokenizer, records, make, options):
    batches = make_batches(records, make_fields(tokenizer), make, **options)
    rows = rows_of(batches)
    assert len(rows) == COUNT
    assert int(batches.cardinality()) == len(list(batches))
    others = 0
    for source, target, *tokens in rows:
        for text, ids in zip((source, target), tokens, strict=True):
            assert len(ids) % 4 == 0
            assert tokenizer.decode(ids) == text
            assert len(strip(ids)) <= LIMIT
            others += strip(ids) != tokenizer.encode(text)
    assert others > COUNT / 2


def test_every_epoch_has_other_samples_and_a_resumed_training_the_same(tokenizer, records):
    def make():
        return make_batches(records, make_fields(tokenizer))

    batches = make()
    epochs = []
    for _ in range(3):
        epochs.append(rows_of(batches))
        iter(batches)  # Keras makes two iterators per epoch
    assert sorted(epochs[0]) != sorted(epochs[1]) != sorted(epochs[2])
    for epoch in (1, 2):
        resumed = make()
        _skip_passes(resumed, epoch)
        assert rows_of(resumed) == epochs[epoch]


def test_samples_that_are_too_long_are_refused_or_cut(tokenizer, records):
    longest = max(len(row["source_tokens"]) for row in records.read("train"))
    rows = rows_of(make_batches(records, make_fields(tokenizer, limit=longest, alpha=1.0)))
    lengths = [len(strip(tokens)) for *_, tokens in rows]
    assert max(lengths) == longest
    refused = [row for row in rows if strip(row[2]) == tokenizer.encode(row[0])]
    assert 0 < len(refused) < COUNT
    for keep, part in (("start", slice(None, 5)), ("end", slice(-5, None))):
        (field, _) = make_fields(tokenizer, limit=5, keep=keep)
        text = "lowest newest"
        whole = tokenizer.sample_normal([text], alpha=field.sampling.alpha, nbest_size=-1, seed=9)[
            0
        ]
        drawn = field.draw([text.encode()], np.array([[4]]), 9)
        assert drawn.tolist() == [whole[part]]


def test_without_merges_texts_are_characters(tokenizer):
    if tokenizer.kind == "bpe":
        (ids,) = tokenizer.sample_normal(["lower newest"], alpha=1.0, nbest_size=-1, seed=0)
        assert "".join(tokenizer.pieces[token] for token in ids) == "▁lower▁newest"
        assert {len(tokenizer.pieces[token]) for token in ids} == {1}


def test_seeds_decide(tokenizer):
    texts, alpha = [" ".join(WORDS)] * 8, ALPHAS[tokenizer.kind]

    def draw(seed):
        return tokenizer.sample_normal(texts, alpha=alpha, nbest_size=-1, seed=seed)

    first = draw(2**32 - 1)  # by which SentencePiece itself means a random one
    assert draw(2**32 - 1) == first != draw(1)
    assert len({tuple(ids) for ids in first}) > 4


def test_noise_drops_words_and_moves_them_within_a_window():
    random = np.random.default_rng(0)
    words = [str(number) for number in range(40)]
    noise, moved = TextNoiseOptions(shuffle=3), 0
    for _ in range(50):
        result = noise(" ".join(words), random).split()
        assert sorted(result) == sorted(words)
        distances = [abs(place - int(word)) for place, word in enumerate(result)]
        assert max(distances) <= 3
        moved += sum(map(bool, distances))
    assert 1000 < moved < 1900
    dropped = TextNoiseOptions(drop=0.25)
    lengths = [len(dropped(" ".join(words), random).split()) for _ in range(200)]
    assert np.mean(lengths) == pytest.approx(30, abs=0.6)
    assert TextNoiseOptions(drop=0.999)("one two", random) in ("one", "two")


def test_noise_keeps_the_marks_of_words_and_the_records_tokens_of_empty_texts():
    tokenizer = train_tokenizer({"a": 3, "b": 2}, kind="word", vocabulary=8)
    field = TextField("t", "n", tokenizer, 9, None, None, TextNoiseOptions(shuffle=1))
    drawn = field.draw([b"a b a b a b", b" "], np.array([[4], [5]]), 1)
    assert sorted(drawn[0].tolist()) == [4, 4, 4, 5, 5, 5]
    assert drawn[1].tolist() == [5, 0, 0, 0, 0, 0]


def test_mistakes_are_refused():
    with pytest.raises(UserError, match="nbest_size: expected -1, or at least 2, got 1"):
        SubwordSamplingOptions(nbest_size=1)
    with pytest.raises(UserError, match="drop: expected above 0 without shuffle, got 0"):
        TextNoiseOptions()
    SubwordSamplingOptions(nbest_size=5).check_tokenizer("unigram")
    with pytest.raises(UserError, match="nbest_size: expected -1 with the tokenizer bpe, got 5"):
        SubwordSamplingOptions(nbest_size=5).check_tokenizer("bpe")
    with pytest.raises(UserError, match="subword_sampling: expected null with the tokenizer word"):
        SubwordSamplingOptions().check_tokenizer("word")
