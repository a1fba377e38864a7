"""What every decoding strategy returns."""

from typing import Any, NamedTuple


class Decoded(NamedTuple):
    """Decoded sequences; a tuple, so that `tf.function` and `jax.jit` can return it.

    Args:
        ids: `(batch, n_best, time)` int32, `time` being `max_length`: the tokens, the end token
            included and the start token not, then PAD.
        lengths: `(batch, n_best)` int32: how many of the ids count, the end token included.
        scores: `(batch, n_best)` float32: log-probabilities in nats, divided by the length penalty
            where there is one.
        alignments: `(batch, n_best, time, ...)`: what the step returned as alignments when it
            chose each of the ids, zero after the end; None if the step returns none.
    """

    ids: Any
    lengths: Any
    scores: Any
    alignments: Any
