"""What the encoders of all text records share."""

import pytest

from rnnpipe.errors import BadRecord
from rnnpipe.sources.text.fields import refer_pair, refer_text
from rnnpipe.transforms.recipes.base import Dropped, Encoder
from rnnpipe.transforms.recipes.text_classes import (
    ClassTextOptions,
    TextClassEncoder,
    TextClassRecipe,
)
from rnnpipe.transforms.recipes.text_pairs import TextPairEncoder
from rnnpipe.transforms.recipes.tokenization import TextOptions

WORDS = ["a", "b", "c", "unknown"]


def texts(count):
    """Texts of which some are long and some have no token."""
    for number in range(count):
        words = [WORDS[(number + i * i) % 4] for i in range(number % 5)]
        yield " ".join(words) or "\u00ad"


TEXTS = list(enumerate(texts(150)))  # more than are encoded together


def summarize(outcomes):
    """Each key with its record, or the kind of fault."""
    return [
        (ref.key, type(found).__name__ if isinstance(found, Exception) else found)
        for ref, found in outcomes
    ]


@pytest.mark.parametrize("kind", ["word", "bpe", "unigram", "char"])
def test_a_shard_is_encoded_as_its_records_are_one_by_one(kind):
    tokenizer = TextOptions(tokenizer=kind, vocabulary=40).train(
        {"a": 4, "b": 3, "c": 2, "known": 1}
    )
    classes = TextClassEncoder(
        TextClassRecipe(text=ClassTextOptions(max_tokens=2)), tokenizer, {"neg": 0, "pos": 1}
    )
    pairs = TextPairEncoder(4, {"source": tokenizer, "target": tokenizer})
    labels = ("neg", "pos", "none")
    for encoder, references in (
        (classes, [refer_text(f"{i}", "train", text=t, label=labels[i % 3]) for i, t in TEXTS]),
        (pairs, [refer_pair(f"{i}", "train", source=t, target=f"{t} a") for i, t in TEXTS]),
    ):
        found = summarize(encoder.encode_all(iter(references)))
        assert found == summarize(Encoder.encode_all(encoder, references))
        assert [key for key, _ in found] == [f"{i}" for i in range(150)]
        assert 0 < sum(outcome == BadRecord.__name__ for _, outcome in found) < 150
    assert Dropped.__name__ in [outcome for _, outcome in found]


def test_records_come_before_the_whole_shard_is_read():
    tokenizer = TextOptions(vocabulary=40).train({"a": 4})
    encoder = TextPairEncoder(6, {"source": tokenizer, "target": tokenizer})
    read = []

    def references():
        for number in range(1000):
            read.append(number)
            yield refer_pair(f"{number}", "train", source="a", target="a")

    first, _ = next(encoder.encode_all(references()))
    assert first.key == "0"
    assert 1 < len(read) <= 100
