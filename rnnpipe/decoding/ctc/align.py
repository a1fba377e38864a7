"""Forced alignment: the frames of each token of a sequence."""

from typing import NamedTuple

import numpy as np

from rnnpipe.decoding.ctc.logits import BLANK, Array, FrameLogProbs, read_logits, read_targets
from rnnpipe.types import Tensor


class CTCAlignment(NamedTuple):
    """The most likely path of each row that collapses to its targets.

    Args:
        spans: `(batch, target_time, 2)` int32: the first frame of each token, and the one after its
            last; zeros after the targets, and where there is no path.
        path: `(batch, time)` int32: the index of the token in the targets at each frame, -1 for a
            blank, after the end, and where there is no path.
        scores: `(batch,)` float64: the log-probability of the path; -inf where the targets need
            more frames than there are, NaN where the logits have NaN.
    """

    spans: Array
    path: Array
    scores: Array


def ctc_align(
    logits: Tensor, lengths: Tensor | None, targets: Tensor, target_lengths: Tensor
) -> CTCAlignment:
    """The frames of each token, by the most likely path (Viterbi).

    Args:
        logits: `(batch, time, vocabulary)` of any backend; token 0 is the blank.
        lengths: `(batch,)` int, the frames of each row; None: all.
        targets: `(batch, target_time)` int, e.g. a transcript or what was decoded.
        target_lengths: `(batch,)` int.

    Returns:
        A `CTCAlignment`.

    Raises:
        UserError: the arguments do not fit.

    Example:
        >>> alignment = ctc_align(9.0 * np.eye(3)[[[0, 1, 1, 0, 2, 2]]], None, [[1, 2]], [2])
        >>> alignment.spans.tolist()
        [[[1, 3], [4, 6]]]

    Source: Graves et al., Connectionist Temporal Classification, 2006, section 4.1, with the
    maximum in the place of the sum.
    """
    frames = read_logits(logits, lengths)
    tokens, counts = read_targets(targets, target_lengths, len(frames.values))
    scores, states = _best_paths(frames, tokens, counts)
    found = np.isfinite(scores) & ~frames.broken
    inside = np.arange(states.shape[1]) < frames.lengths[:, None]
    is_token = (states % 2 == 1) & inside & found[:, None]
    path = np.where(is_token, states // 2, -1).astype("int32")
    spans = np.zeros((*tokens.shape, 2), "int32")
    rows, times = np.nonzero(is_token & (np.diff(path, axis=1, prepend=-1) != 0))
    spans[rows, path[rows, times], 0] = times
    rows, times = np.nonzero(is_token & (np.diff(path, axis=1, append=-1) != 0))
    spans[rows, path[rows, times], 1] = times + 1
    return CTCAlignment(spans, path, np.where(frames.broken, np.nan, scores))


def _best_paths(frames: FrameLogProbs, tokens: Array, counts: Array) -> tuple[Array, Array]:
    """The scores of the best paths, and their states `(batch, time)`.

    State 2 n is the blank before token n, state 2 n + 1 is token n.
    """
    batch, time, _ = frames.values.shape
    labels = np.full((batch, 2 * tokens.shape[1] + 1), BLANK)
    labels[:, 1::2] = tokens
    emitted = np.take_along_axis(frames.values, labels[:, None], axis=2)  # (batch, time, states)
    # A token may follow another one without a blank between them, unless they are equal.
    skips = np.zeros(labels.shape, bool)
    skips[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    best = np.full(labels.shape, -np.inf)
    moves = np.zeros((time, *labels.shape), "int8")  # how many states a path moved on
    for t in range(time):
        if t == 0:
            options = np.full((3, *labels.shape), -np.inf)
            options[0, :, :2] = 0.0  # a path begins with the blank or the first token
        else:
            options = np.stack([best, _shift(best, 1), np.where(skips, _shift(best, 2), -np.inf)])
        move = options.argmax(axis=0)
        score = np.take_along_axis(options, move[None], axis=0)[0] + emitted[:, t]
        active = (t < frames.lengths)[:, None]
        best = np.where(active, score, best)
        moves[t] = np.where(active, move, 0)
    return _trace(best, moves, frames.lengths, counts)


def _trace(best: Array, moves: Array, lengths: Array, counts: Array) -> tuple[Array, Array]:
    """The scores at the ends of the targets, and the states of the paths that lead there."""
    rows = np.arange(len(best))
    last_blank, last_token = 2 * counts, np.maximum(2 * counts - 1, 0)
    state = np.where(best[rows, last_token] > best[rows, last_blank], last_token, last_blank)
    scores = best[rows, state]
    scores = np.where(lengths == 0, np.where(counts == 0, 0.0, -np.inf), scores)
    states = np.zeros((len(best), len(moves)), "int64")
    for t in reversed(range(len(moves))):
        states[:, t] = state
        state = state - moves[t, rows, state]
    return scores, states


def _shift(values: Array, states: int) -> Array:
    shifted = np.full_like(values, -np.inf)
    shifted[:, states:] = values[:, : values.shape[1] - states]
    return shifted
