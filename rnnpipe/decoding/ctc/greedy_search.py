"""Greedy CTC decoding: the most likely token of each frame."""

from typing import NamedTuple

import numpy as np

from rnnpipe.decoding.ctc.decoded import CTCDecoded
from rnnpipe.decoding.ctc.logits import BLANK, Array, read_logits
from rnnpipe.types import Tensor


class GreedyState(NamedTuple):
    """The path so far."""

    last: Array  # (batch,), the token of the last frame
    frames: Array  # (batch,), how many there were
    ids: Array  # (batch, tokens)
    spans: Array  # (batch, tokens, 2)
    lengths: Array  # (batch,)
    scores: Array  # (batch,)


class CTCGreedySearch:
    """Greedy decoding of a stream of frames; see `ctc_greedy_search`.

    A state is immutable, and may be finished at any time: what is decoded so far.

    Example:
        >>> logits = 9.0 * np.eye(3)[[[0, 1, 1, 0, 1, 2]]]
        >>> search = CTCGreedySearch()
        >>> state = search.begin(batch=1)
        >>> for start in (0, 2, 4):
        ...     state = search.advance(state, logits[:, start : start + 2])
        >>> search.finish(state).ids.tolist()
        [[[1, 1, 2]]]
    """

    def begin(self, batch: int) -> GreedyState:
        """The state before the first frames."""
        rows = np.zeros(batch, "int64")
        empty = np.zeros((batch, 0), "int32")
        spans = np.zeros((batch, 0, 2), "int32")
        return GreedyState(rows, rows, empty, spans, rows, np.zeros(batch))

    def advance(
        self, state: GreedyState, logits: Tensor, lengths: Tensor | None = None
    ) -> GreedyState:
        """The state after more frames.

        Args:
            state: before them.
            logits: `(batch, time, vocabulary)`.
            lengths: `(batch,)` int, the frames of each row; None: all.

        Raises:
            UserError: the arguments do not fit.
        """
        frames = read_logits(logits, lengths, batch=len(state.lengths))
        path = frames.values.argmax(axis=-1)  # (batch, time), blanks after the end
        before = np.concatenate([state.last[:, None], path[:, :-1]], axis=1)[:, : path.shape[1]]
        begins = (path != BLANK) & (path != before)
        index = state.lengths[:, None] + np.cumsum(begins, axis=1) - 1
        added = begins.sum(axis=1)
        room = max(int((state.lengths + added).max(initial=0)) - state.ids.shape[1], 0)
        ids = np.pad(state.ids, [(0, 0), (0, room)])
        spans = np.pad(state.spans, [(0, 0), (0, room), (0, 0)])
        rows, times = np.nonzero(begins)
        ids[rows, index[rows, times]] = path[rows, times]
        spans[rows, index[rows, times], 0] = state.frames[rows] + times
        rows, times = np.nonzero(path != BLANK)
        np.maximum.at(spans[..., 1], (rows, index[rows, times]), state.frames[rows] + times + 1)
        with_last = np.concatenate([state.last[:, None], path], axis=1)
        scores = state.scores + frames.values.max(axis=-1).sum(axis=1, dtype="float64")
        return GreedyState(
            last=np.take_along_axis(with_last, frames.lengths[:, None], axis=1)[:, 0],
            frames=state.frames + frames.lengths,
            ids=ids,
            spans=spans,
            lengths=state.lengths + added,
            scores=np.where(frames.broken, np.nan, scores),
        )

    def finish(self, state: GreedyState) -> CTCDecoded:
        """The sequences of the frames so far."""
        broken = np.isnan(state.scores)
        lengths = np.where(broken, 0, state.lengths).astype("int32")
        inside = np.arange(state.ids.shape[1]) < lengths[:, None]
        return CTCDecoded(
            ids=np.where(inside, state.ids, 0)[:, None],
            lengths=lengths[:, None],
            scores=state.scores[:, None],
            log_probs=state.scores[:, None],
            spans=np.where(inside[..., None], state.spans, 0)[:, None],
        )


def ctc_greedy_search(logits: Tensor, lengths: Tensor | None = None) -> CTCDecoded:
    """The most likely token of each frame, without repeated tokens and blanks.

    It is the sequence of the most likely path, not the most likely sequence: the score is the
    log-probability of that path.

    Args:
        logits: `(batch, time, vocabulary)` of any backend; token 0 is the blank.
        lengths: `(batch,)` int, the frames of each row; None: all.

    Returns:
        A `CTCDecoded` with one sequence for each row, and the frames of its tokens.

    Raises:
        UserError: the arguments do not fit.

    Example:
        >>> decoded = ctc_greedy_search(9.0 * np.eye(3)[[[0, 1, 1, 0, 1, 2]]])
        >>> decoded.ids.tolist(), decoded.spans.tolist()
        ([[[1, 1, 2]]], [[[[1, 3], [4, 5], [5, 6]]]])

    Source: Graves et al., Connectionist Temporal Classification, 2006, section 3.2.
    """
    search = CTCGreedySearch()
    return search.finish(search.advance(search.begin(len(logits)), logits, lengths))
