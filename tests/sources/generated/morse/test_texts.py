"""What is sent in Morse code."""

import random
import string

from rnnpipe.sources.generated.morse.texts import sample_texts
from rnnpipe.sources.generated.morse.words import WORDS

TEXTS = sample_texts({"train": 800, "validation": 80, "test": 80}, 4, random.Random("1"))
WORDS_OF = {split: {w for text in texts for w in text.split()} for split, texts in TEXTS.items()}


def test_words_are_in_order_and_each_is_there_once():
    assert list(WORDS) == sorted(set(WORDS))
    assert set("".join(WORDS)) == set(string.ascii_lowercase)


def test_splits_have_their_sizes_and_no_text_twice():
    assert {split: len(texts) for split, texts in TEXTS.items()} == {
        "train": 800,
        "validation": 80,
        "test": 80,
    }
    every = [text for texts in TEXTS.values() for text in texts]
    assert len(set(every)) == len(every)
    assert {len(text.split()) for text in every} == {2, 3, 4}
    assert {word for text in every for word in text.split()} <= set(WORDS)


def test_the_test_split_has_words_that_training_has_not():
    assert len(WORDS_OF["train"]) <= 0.9 * len(WORDS) + 1
    assert len(WORDS_OF["test"] - WORDS_OF["train"]) > 10


def test_training_has_every_letter():
    assert set("".join(WORDS_OF["train"])) == set(string.ascii_lowercase)
