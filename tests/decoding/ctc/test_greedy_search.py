"""Greedy CTC decoding: the collapse of the most likely path, whole and as a stream."""

import numpy as np
import pytest
from keras import ops

from rnnpipe.decoding import CTCGreedySearch, ctc_greedy_search
from rnnpipe.errors import UserError
from tests.decoding.ctc.oracles import collapse, log_softmax, spans_of


@pytest.fixture
def logits():
    values = np.random.default_rng(3).normal(size=(6, 17, 4)).astype("float32")
    values[:, :, 0] += 0.5
    return values


LENGTHS = np.array([17, 12, 5, 1, 0, 16])


def check(decoded, logits, lengths):
    for row, length in enumerate(lengths):
        path = logits[row, :length].argmax(axis=-1)
        expected = collapse(path)
        count = int(decoded.lengths[row, 0])
        assert tuple(decoded.ids[row, 0, :count]) == expected
        assert not decoded.ids[row, 0, count:].any()
        assert decoded.spans[row, 0, :count].tolist() == spans_of(path)
        assert not decoded.spans[row, 0, count:].any()
        best = log_softmax(logits[row, :length]).max(axis=-1, initial=-np.inf)
        np.testing.assert_allclose(decoded.scores[row, 0], best.sum(), rtol=1e-5)


def test_the_most_likely_path_is_collapsed(logits):
    check(ctc_greedy_search(logits), logits, [17] * 6)
    check(ctc_greedy_search(ops.convert_to_tensor(logits), LENGTHS), logits, LENGTHS)


def test_padding_changes_nothing_even_where_it_is_nan(logits):
    padded = logits.copy()
    padded[np.arange(17) >= LENGTHS[:, None]] = np.nan
    check(ctc_greedy_search(padded, LENGTHS), logits, LENGTHS)


@pytest.mark.parametrize("seed", range(4))
def test_a_stream_of_chunks_of_any_size_equals_the_whole(logits, seed):
    random = np.random.default_rng(seed)
    search, done = CTCGreedySearch(), np.zeros(6, int)
    state = search.begin(batch=6)
    while np.any(done < LENGTHS):
        # Each row has its own number of frames in a chunk, perhaps none.
        sizes = np.minimum(random.integers(0, 5, 6), LENGTHS - done)
        chunk = np.full((6, 5, 4), np.nan, "float32")
        for row, size in enumerate(sizes):
            chunk[row, :size] = logits[row, done[row] : done[row] + size]
        state = search.advance(state, chunk, sizes)
        done += sizes
        check(search.finish(state), logits, done)
    whole = ctc_greedy_search(logits, LENGTHS)
    np.testing.assert_array_equal(search.finish(state).ids, whole.ids)


def test_a_row_with_nan_has_no_sequence(logits):
    logits[1, 3, 2] = np.nan
    decoded = ctc_greedy_search(logits)
    assert np.isnan(decoded.scores[1, 0])
    assert decoded.lengths[1, 0] == 0
    assert not decoded.ids[1].any()
    check(ctc_greedy_search(logits[2:]), logits[2:], [17] * 4)
    np.testing.assert_array_equal(decoded.ids[2:], ctc_greedy_search(logits)[0][2:])


@pytest.mark.parametrize("shape", [(0, 5, 4), (2, 0, 4), (0, 0, 4)])
def test_nothing_to_decode_gives_nothing(shape):
    decoded = ctc_greedy_search(np.zeros(shape))
    assert decoded.ids.shape == (shape[0], 1, 0)
    assert decoded.scores.tolist() == [[0.0]] * shape[0]


def test_wrong_arguments_are_refused():
    logits = np.zeros((2, 3, 4))
    with pytest.raises(UserError, match=r"logits: expected \(batch, time, vocabulary\), .* \(3, 4"):
        ctc_greedy_search(logits[0])
    with pytest.raises(UserError, match="lengths: expected at most 3 frames, got 4"):
        ctc_greedy_search(logits, [3, 4])
    with pytest.raises(UserError, match=r"lengths: expected \(2,\) integers of at least 0, got -1"):
        ctc_greedy_search(logits, [3, -1])
    with pytest.raises(UserError, match=r"lengths: .* got int64 \(1,\); pass one for each row"):
        ctc_greedy_search(logits, [3])
