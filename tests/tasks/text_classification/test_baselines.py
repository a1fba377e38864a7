import numpy as np
import pytest

from rnnpipe.tasks.text_classification.baselines import BagOfWords, classify_by_baselines

GOOD = [("a good film", 1), ("good and short", 1), ("good", 1)]
BAD = [("a bad film", 0), ("bad and long", 0), ("bad", 0)]


def make_words(train, validation=(("good", 1), ("bad", 0)), classes=2):
    return BagOfWords(train, validation, classes=classes, normalize=str.lower)


def test_words_determine_the_classes_and_their_order_does_not():
    words = make_words(GOOD + BAD)
    given = words.classify(["Bad film", "film GOOD", "good film", "unheard of"])
    assert given.argmax(axis=1)[:3].tolist() == [0, 1, 1]
    np.testing.assert_allclose(given.sum(axis=1), 1)
    np.testing.assert_allclose(given[1], given[2])
    # Of words that it never met it knows nothing.
    assert given[3, 0] == pytest.approx(0.5, abs=0.05)


def test_a_repeated_word_counts_once():
    once, often = make_words(GOOD + BAD).classify(["good film", "good good good film"])
    np.testing.assert_allclose(once, often)


def test_the_penalty_is_chosen_on_the_validation_texts():
    # Where the words mean the opposite in validation, the strongest penalty does least harm.
    right = make_words(GOOD + BAD, [("good", 1), ("bad", 0)]).classify(["good"])[0, 1]
    wrong = make_words(GOOD + BAD, [("good", 0), ("bad", 1)]).classify(["good"])[0, 1]
    assert 0.5 < wrong < 0.6 < right


def test_a_class_without_training_examples_is_unlikely():
    given = make_words(GOOD + BAD, classes=3).classify(["good", "bad"])
    assert given.shape == (2, 3)
    assert not given[:, 2].any()


def test_both_learn_from_the_training_split_of_records(records):
    texts = [row["text"] for row in records.read("test")]
    given = classify_by_baselines(records, texts, str.lower)
    assert list(given) == ["majority", "bag_of_words"]
    counts = np.bincount([row["label"] for row in records.read("train")])
    np.testing.assert_allclose(given["majority"][0], counts / counts.sum())
    labels = [row["label"] for row in records.read("test")]
    assert np.mean(given["bag_of_words"].argmax(axis=1) == labels) == 1
