import random
import re

import numpy as np
import pytest

from rnnpipe.sources.generated.grammars.opinions import NEGATIVE, POSITIVE, STRENGTH, sample_opinion


def value_of(clause: str) -> int:
    """What one clause says, by the rules of the docstring and the words alone."""
    words = clause.split()
    sign = 1 if words[-1] in POSITIVE else -1
    assert sign == 1 or words[-1] in NEGATIVE
    if re.search(r"\b(not|never|hardly|far from)\b", clause):
        sign = -sign
    return sign * STRENGTH.get(words[-2], STRENGTH[""])


def polarity_of(sentence: str) -> str:
    """The polarity of a sentence, read from the sentence alone."""
    text = sentence.removesuffix(" .")
    text = re.sub(r"^(honestly|in my opinion|all in all|for me|to be fair) , ", "", text)
    concession = r"(?:although|even though|while)"
    if found := re.fullmatch(rf"{concession} (.*) , (.*)", text):
        value = value_of(found[2])
    elif found := re.fullmatch(rf"(.*) , {concession} (.*)", text):
        value = value_of(found[1])
    elif found := re.fullmatch(r"(.*) , but (.*)", text):
        value = value_of(found[2])
    elif found := re.fullmatch(r"(.*) and (.*)", text):
        value = value_of(found[1]) + value_of(found[2])
    else:
        value = value_of(text)
    assert value != 0
    return "pos" if value > 0 else "neg"


@pytest.fixture(scope="module")
def opinions():
    rng = random.Random(11)
    return [sample_opinion(rng) for _ in range(4000)]


def test_the_label_follows_from_the_sentence(opinions):
    assert all(polarity_of(sentence) == label for sentence, label in opinions)
    assert 0.45 < np.mean([label == "pos" for _, label in opinions]) < 0.55
    assert len({sentence for sentence, _ in opinions}) > 3800


def test_word_counts_do_not_determine_the_label(opinions):
    words = {w: i for i, w in enumerate(sorted({w for s, _ in opinions for w in s.split()}))}
    counts = np.zeros((len(opinions), len(words)))
    for row, (sentence, _) in zip(counts, opinions, strict=True):
        for word in sentence.split():
            row[words[word]] += 1
    labels = np.array([label == "pos" for _, label in opinions], float)
    weights, train = np.zeros(len(words)), slice(0, 3200)
    for _ in range(400):  # logistic regression by gradient descent
        probability = 1 / (1 + np.exp(-counts[train] @ weights))
        weights += 0.5 * counts[train].T @ (labels[train] - probability) / 3200
    accuracy = np.mean((counts[3200:] @ weights > 0) == labels[3200:])
    assert 0.5 < accuracy <= 0.8
