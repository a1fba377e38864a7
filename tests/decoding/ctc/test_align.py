"""Forced alignment against the best of all paths."""

import numpy as np
import pytest

from rnnpipe.decoding import ctc_align, ctc_beam_search, ctc_greedy_search
from rnnpipe.errors import UserError
from tests.decoding.ctc.oracles import best_path, every_labelling, spans_of

TIME, VOCAB = 5, 3


def test_every_sequence_has_its_most_likely_path():
    logits = np.random.default_rng(2).normal(size=(TIME, VOCAB), scale=2.0)
    sequences = list(every_labelling(logits))
    lengths = np.array([len(sequence) for sequence in sequences])
    targets = np.array([[*s, *[0] * (TIME - len(s))] for s in sequences])
    alignment = ctc_align(np.tile(logits, (len(sequences), 1, 1)), None, targets, lengths)
    assert len(sequences) > 20
    for row, sequence in enumerate(sequences):
        path, probability = best_path(logits, sequence)
        np.testing.assert_allclose(alignment.scores[row], np.log(probability), rtol=1e-5)
        assert alignment.spans[row, : len(sequence)].tolist() == spans_of(path)
        assert not alignment.spans[row, len(sequence) :].any()
        tokens = [sequence[index] if index >= 0 else 0 for index in alignment.path[row]]
        assert tuple(tokens) == path


def test_padding_and_batch_change_nothing_even_where_padding_is_nan():
    random = np.random.default_rng(4)
    logits, targets = random.normal(size=(4, 9, 6)), random.integers(1, 6, size=(4, 4))
    lengths, counts = np.array([9, 6, 3, 0]), np.array([4, 2, 1, 0])
    padded = logits.copy()
    padded[np.arange(9) >= lengths[:, None]] = np.nan
    together = ctc_align(padded, lengths, targets, counts)
    for row, (length, count) in enumerate(zip(lengths, counts, strict=True)):
        here = slice(row, row + 1)
        alone = ctc_align(logits[here, :length], None, targets[here, :count], counts[here])
        np.testing.assert_array_equal(alone.spans[0], together.spans[row, :count])
        np.testing.assert_array_equal(alone.path[0], together.path[row, :length])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], rtol=1e-6)
        assert np.all(together.path[row, length:] == -1)


def test_the_alignment_of_a_greedy_sequence_is_its_path():
    logits = np.random.default_rng(6).normal(size=(5, 20, 4), scale=3.0)
    decoded = ctc_greedy_search(logits)
    alignment = ctc_align(logits, None, decoded.ids[:, 0], decoded.lengths[:, 0])
    assert decoded.spans is not None
    np.testing.assert_array_equal(alignment.spans, decoded.spans[:, 0])
    np.testing.assert_allclose(alignment.scores, decoded.scores[:, 0], rtol=1e-5)
    best = ctc_beam_search(logits)
    aligned = ctc_align(logits, None, best.ids[:, 0], best.lengths[:, 0])
    assert np.all(aligned.scores <= best.log_probs[:, 0] + 1e-5)


@pytest.mark.parametrize(("target", "frames"), [([1, 1], 2), ([1, 2, 1], 2), ([1], 0)])
def test_targets_that_need_more_frames_have_no_alignment(target, frames):
    alignment = ctc_align(np.zeros((1, 4, 3)), [frames], [target], [len(target)])
    assert alignment.scores.tolist() == [-np.inf]
    assert not alignment.spans.any()
    assert np.all(alignment.path == -1)


def test_a_row_with_nan_has_no_alignment():
    logits = np.zeros((2, 4, 3))
    logits[0, 1, 1] = np.nan
    alignment = ctc_align(logits, None, [[1], [1]], [1, 1])
    assert np.isnan(alignment.scores).tolist() == [True, False]
    assert not alignment.spans[0].any()
    assert alignment.spans[1, 0, 1] > 0


@pytest.mark.parametrize("shape", [(0, 5, 4), (2, 0, 4)])
def test_nothing_to_align_gives_nothing(shape):
    rows = shape[0]
    alignment = ctc_align(np.zeros(shape), None, np.zeros((rows, 0), int), np.zeros(rows, int))
    assert alignment.spans.shape == (rows, 0, 2)
    assert alignment.scores.tolist() == [0.0] * rows


def test_wrong_arguments_are_refused():
    logits = np.zeros((2, 3, 4))
    with pytest.raises(UserError, match=r"targets: expected \(2, target_time\), got \(1, 2\)"):
        ctc_align(logits, None, [[1, 2]], [2])
    with pytest.raises(UserError, match="target_lengths: expected at most target_time, 1, got 2"):
        ctc_align(logits, None, [[1], [2]], [1, 2])
