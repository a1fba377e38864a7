import math

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.metrics.entropy import ngram_nats, packed_bits

START = 2


def witten_bell(train, history, token, vocab):
    """The definition, counted by hand."""
    if history is None:
        return 1 / vocab
    n = len(history)
    padded = [[START] * 9 + list(document) for document in train]
    follow = [
        document[i]
        for document in padded
        for i in range(9, len(document))
        if tuple(document[i - n : i]) == history
    ]
    lower = witten_bell(train, history[1:] if n else None, token, vocab)
    if not follow:
        return lower
    kinds = len(set(follow))
    return (follow.count(token) + kinds * lower) / (len(follow) + kinds)


def test_ngrams_are_interpolated_after_witten_and_bell():
    rng = np.random.default_rng(0)
    train = [rng.integers(4, 8, length) for length in (30, 12)]
    test = [rng.integers(4, 9, length) for length in (10, 7)]
    found = ngram_nats(train, test, vocab=9, order=4, start=START)
    for order, nats in enumerate(found, start=1):
        token_nats = []
        for document in test:
            padded = [START] * 9 + document.tolist()
            for i in range(9, len(padded)):
                history = tuple(padded[i - order + 1 : i])
                token_nats.append(-math.log(witten_bell(train, history, padded[i], 9)))
        assert nats == pytest.approx(np.mean(token_nats))


def test_deterministic_continuations_are_predicted():
    text = [np.array([4, 5, 6] * 200)]
    unigram, bigram = ngram_nats(text, text, vocab=7, order=2, start=START)
    assert unigram == pytest.approx(math.log(3), abs=0.05)
    assert bigram < 0.05


def test_orders_end_where_keys_would_be_too_long():
    text = [np.array([4, 5])]
    assert len(ngram_nats(text, text, vocab=1 << 20, order=9, start=START)) == 3
    with pytest.raises(UserError, match="order: expected at least 1"):
        ngram_nats(text, text, vocab=9, order=0, start=START)


@pytest.mark.parametrize("packer", ["gzip", "lzma"])
def test_a_packer_uses_what_it_has_read(packer):
    rng = np.random.default_rng(1)
    text = "".join(rng.choice(list("abcdefgh"), 3000))
    other = "".join(rng.choice(list("abcdefgh"), 3000))
    assert packed_bits(text, text, packer) < 0.2
    assert 3 < packed_bits(text, other, packer) < 4.5
