"""Connectionist temporal classification (CTC): the loss."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from rnnpipe.layers.errors import LayerError
from rnnpipe.layers.kernels import find_ctc_loss
from rnnpipe.types import Tensor
from rnnpipe.values import known_values


class CTCLoss(NamedTuple):
    """The loss of each example, and which examples have one.

    Args:
        losses: `(batch,)`, in nats and in float32 at least; 0 where the target is infeasible.
        feasible: `(batch,)` bool, False where the target needs more frames than there are. Count
            the others: nothing is learned from them.
    """

    losses: Tensor
    feasible: Tensor


def ctc_loss(targets: Tensor, logits: Tensor, target_lengths: Tensor, lengths: Tensor) -> CTCLoss:
    """The negative log-probability of targets, summed over all their alignments with the frames.

        loss = −log Σ_π Π_t p_t(π_t) over all paths π that collapse to the target

    A path has a token or the blank, 0, for each frame; it collapses to a sequence by the removal of
    repeated tokens, then of blanks. Frames and tokens after the lengths, even NaN, change neither
    losses nor gradients.

    A target of N tokens, r of which equal the token before, needs N + r frames. One that has fewer
    has the probability 0: its loss is 0 here in the place of infinity, its gradient is zero, and it
    is marked.

    On CPUs, TensorFlow has a fast operation, which XLA does not compile; elsewhere this is
    `keras.ops.ctc_loss`.

    Args:
        targets: `(batch, target_time)` int, the tokens, each above 0.
        logits: `(batch, time, vocabulary)`.
        target_lengths: `(batch,)` int.
        lengths: `(batch,)` int, the frames of each example.

    Returns:
        A `CTCLoss`.

    Raises:
        UserError: if targets or logits have another rank, or, where they are known, targets have
            the blank or tokens beyond the vocabulary.

    Example:
        >>> logits = ops.zeros((1, 2, 3))  # 9 equally likely paths: 11, 1_ and _1 collapse to 1
        >>> loss = ctc_loss(ops.array([[1]]), logits, ops.array([1]), ops.array([2]))
        >>> round(float(ops.exp(-loss.losses[0])) * 9, 4)
        3.0

    Source: Graves et al., Connectionist Temporal Classification, 2006, section 4.
    """
    targets, logits = ops.cast(targets, "int32"), ops.convert_to_tensor(logits)
    if len(targets.shape) != 2 or len(logits.shape) != 3:
        expected = "targets (batch, target_time) and logits (batch, time, vocabulary)"
        got = f"{tuple(targets.shape)} and {tuple(logits.shape)}"
        raise LayerError("ctc_loss", expected, got, "pass a batch of padded sequences")
    target_lengths, lengths = ops.cast(target_lengths, "int32"), ops.cast(lengths, "int32")
    _check_targets(targets, target_lengths, logits.shape[-1])
    if logits.shape[0] == 0:
        return CTCLoss(ops.zeros((0,)), ops.zeros((0,), dtype="bool"))
    feasible = count_ctc_frames(targets, target_lengths) <= lengths
    # The loss of no tokens in one frame is finite, and so are its gradients.
    counted = ops.logical_and(feasible, lengths > 0)
    compute: Any = find_ctc_loss() or ops.ctc_loss
    losses = compute(
        _at_least_one_step(targets),
        _at_least_one_step(_blank(logits, lengths)),
        ops.where(counted, target_lengths, 0),
        ops.maximum(lengths, 1),
    )
    return CTCLoss(ops.where(counted, losses, ops.zeros_like(losses)), feasible)


def count_ctc_frames(targets: Tensor, target_lengths: Tensor) -> Tensor:
    """How many frames targets need: a path has a blank between two equal tokens.

    Args:
        targets: `(batch, target_time)` int.
        target_lengths: `(batch,)` int.

    Returns:
        `(batch,)` int32.

    Example:
        >>> count_ctc_frames(ops.array([[7, 7, 8, 0]]), ops.array([3])).numpy().tolist()
        [4]
    """
    targets = _at_least_one_step(targets)
    repeats = ops.equal(targets[:, 1:], targets[:, :-1])
    inside = ops.arange(1, ops.shape(targets)[1], dtype="int32") < target_lengths[:, None]
    repeats = ops.logical_and(repeats, inside)
    return ops.cast(target_lengths, "int32") + ops.sum(ops.cast(repeats, "int32"), axis=1)


def _check_targets(targets: Tensor, lengths: Tensor, vocabulary: int | None) -> None:
    values, counts = known_values(targets), known_values(lengths)
    if values is None or counts is None or vocabulary is None:  # those of a graph are not known
        return
    tokens = values[np.arange(values.shape[1]) < counts[:, None]]
    outside = np.unique(tokens[(tokens < 1) | (tokens >= vocabulary)]).tolist()
    if outside:
        expected = f"targets of tokens from 1 to {vocabulary - 1}"
        fix = "pass ids of the vocabulary; 0 is the blank"
        raise LayerError("ctc_loss", expected, str(outside), fix)


def _blank(logits: Tensor, lengths: Tensor) -> Tensor:
    """The logits with zeros after the lengths: a NaN there would reach the gradients."""
    inside = ops.arange(ops.shape(logits)[1], dtype="int32") < lengths[:, None]
    return ops.where(inside[:, :, None], logits, ops.zeros_like(logits))


def _at_least_one_step(sequences: Tensor) -> Tensor:
    if sequences.shape[1] != 0:
        return sequences
    return ops.pad(sequences, [[0, 0], [0, 1], *[[0, 0]] * (len(sequences.shape) - 2)])
