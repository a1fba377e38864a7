"""The result of every decoding strategy."""

from typing import NamedTuple

from rnnpipe.types import Nested, Tensor


class Decoded(NamedTuple):
    """Decoded sequences; a tuple, so that `tf.function` and `jax.jit` can return it.

    Args:
        ids: `(batch, n_best, time)` int32, `time` being `max_length`: the tokens, the end token
            included and the start token not, then PAD.
        lengths: `(batch, n_best)` int32: the number of tokens, the end token included.
        scores: `(batch, n_best)` float32: log-probabilities in nats, divided by the length penalty
            where there is one.
        alignments: `(batch, n_best, time, ...)`: the alignments that the step returned for each of
            the ids, zero after the end; None if the step returns none.
    """

    ids: Tensor
    lengths: Tensor
    scores: Tensor
    alignments: Nested[Tensor]
