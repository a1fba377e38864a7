"""The doubly stochastic regulariser (Xu et al. 2015)."""

from keras import ops

from rnnpipe.types import Tensor


def doubly_stochastic_penalty(
    alignments: Tensor, mask: Tensor = None, memory_mask: Tensor = None, weight: float = 1.0
) -> Tensor:
    """A penalty for positions that get more or less attention than 1 over all steps.

        penalty = λ Σᵢ (1 − Σ_t α_tᵢ)²

    It is the mean over glimpses.

    Args:
        alignments: of a whole sequence, `(batch, target_time, glimpses, ...positions)`.
        mask: `(batch, target_time)`, False at padding.
        memory_mask: `(batch, ...positions)`, False at padding.
        weight: λ.

    Returns:
        `(batch,)`.

    Example:
        >>> import numpy
        >>> alignments = numpy.array([[[[1.0, 0.0]], [[1.0, 0.0]]]])  # twice at the first of two
        >>> doubly_stochastic_penalty(alignments).numpy().tolist()
        [2.0]

    Source: Xu et al., Show, Attend and Tell, 2015, section 4.2.1, equation 14.
    """
    alignments = ops.convert_to_tensor(alignments)
    batch, time, glimpses = ops.shape(alignments)[:3]
    alignments = ops.reshape(alignments, (batch, time, glimpses, -1))
    if mask is not None:
        counts = ops.cast(mask, "bool")[:, :, None, None]
        alignments = ops.where(counts, alignments, ops.zeros_like(alignments))
    missing = ops.square(1 - ops.sum(alignments, axis=1))  # (batch, glimpses, positions)
    if memory_mask is not None:
        readable = ops.cast(ops.reshape(memory_mask, (batch, 1, -1)), "bool")
        missing = ops.where(readable, missing, ops.zeros_like(missing))
    return weight * ops.mean(ops.sum(missing, axis=-1), axis=-1)
