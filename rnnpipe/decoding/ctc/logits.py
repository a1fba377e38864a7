"""The logits of a network as arrays of log-probabilities."""

from typing import Any, NamedTuple

import numpy as np

from rnnpipe import ops
from rnnpipe.errors import UserError
from rnnpipe.types import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

BLANK = 0
"""The token of frames without one; the id of padding, so that tokens need no shift."""


class FrameLogProbs(NamedTuple):
    """The log-probabilities of the tokens at each frame.

    Args:
        values: `(batch, time, vocabulary)` float32; those of rows with NaN are those of blanks.
        lengths: `(batch,)` int64, the frames of each row.
        broken: `(batch,)` bool, the rows of which a frame has NaN.
    """

    values: Array
    lengths: Array
    broken: Array


def read_logits(logits: Tensor, lengths: Tensor | None, batch: int | None = None) -> FrameLogProbs:
    """Log-probabilities of logits `(batch, time, vocabulary)`, and how many frames there are.

    Args:
        logits: a tensor of any backend, or an array.
        lengths: `(batch,)` int, or None where each row has all frames.
        batch: how many rows there must be; None: any number.

    Raises:
        UserError: the logits have another rank, or the lengths do not fit.
    """
    values = np.asarray(ops.convert_to_numpy(logits))
    if values.ndim != 3 or values.shape[-1] < 2:
        expected, fix = "(batch, time, vocabulary), with a blank and a token", "pass a batch"
        raise UserError("logits", expected, str(values.shape), fix)
    rows, time, _ = values.shape
    if batch not in (None, rows):
        fix = "pass all rows of the stream; those without frames have the length 0"
        raise UserError("logits", f"{batch} rows, as the state has", str(rows), fix)
    counts = np.full(rows, time) if lengths is None else _read_lengths("lengths", lengths, rows)
    if np.any(counts > time):
        fix = "pass those of the network's outputs, which may be shorter than its inputs"
        raise UserError("lengths", f"at most {time} frames", str(counts.max()), fix)
    values = values.astype("float32")
    inside = np.arange(time) < counts[:, None]
    with np.errstate(invalid="ignore"):  # NaN is reported by `broken`
        shifted = values - values.max(axis=-1, keepdims=True)
        values = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    broken = np.any(np.isnan(values).any(axis=-1) & inside, axis=1)
    only_blank = np.where(np.arange(values.shape[-1]) == BLANK, 0.0, -np.inf).astype("float32")
    values = np.where((inside & ~broken[:, None])[:, :, None], values, only_blank)
    return FrameLogProbs(values, counts, broken)


def read_targets(targets: Tensor, lengths: Tensor, batch: int) -> tuple[Array, Array]:
    """Tokens `(batch, target_time)` and their lengths, as arrays of integers.

    Raises:
        UserError: they do not fit.
    """
    tokens = np.asarray(ops.convert_to_numpy(targets))
    if tokens.ndim != 2 or len(tokens) != batch:
        expected, fix = f"({batch}, target_time)", "pass a row of tokens for each row of logits"
        raise UserError("targets", expected, str(tokens.shape), fix)
    counts = _read_lengths("target_lengths", lengths, batch)
    if np.any(counts > tokens.shape[1]):
        expected = f"at most target_time, {tokens.shape[1]}"
        raise UserError("target_lengths", expected, str(counts.max()), "pass those of the targets")
    return tokens.astype("int64"), counts


def _read_lengths(name: str, lengths: Tensor, batch: int) -> Array:
    counts = np.asarray(ops.convert_to_numpy(lengths))
    fits = counts.shape == (batch,) and counts.dtype.kind in "iu"
    if not fits or np.any(counts < 0):
        got = f"{counts.dtype} {counts.shape}" if not fits else str(counts.min())
        raise UserError(name, f"({batch},) integers of at least 0", got, "pass one for each row")
    return counts.astype("int64")
