"""The shapes that a kernel compiles its forward pass for: so many at most."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from rnnpipe.layers.kernels.tensorflow.padding import padded_length
from rnnpipe.types import Tensor

LIMIT = 64
"""How many shapes are compiled; further ones run as plain TensorFlow."""

MIN_UNITS = 64
"""Below it a forward pass gains too little for what its compilation takes."""

_BITS = 20  # of a size within a key


class CompiledShapes:
    """Remembers the shapes that one kernel has compiled, in whichever graph."""

    def __init__(self) -> None:
        self._table: Any = None

    def choose(
        self,
        batch: Tensor | int,
        lengths: Sequence[Tensor | int],
        pays: Tensor | bool,
        compiled: Callable[[], Any],
        plain: Callable[[], Any],
    ) -> Any:
        """The result of `compiled`, or of `plain` where it does not pay or too many are compiled.

        Args:
            batch: the size of the batch; here and below, a tensor where the graph does not know.
            lengths: those that are padded.
            pays: whether to compile at all.
            compiled: the forward pass, compiled.
            plain: the same in plain TensorFlow.
        """
        if isinstance(pays, bool) and not pays:
            return plain()
        if isinstance(pays, bool) and all(isinstance(size, int) for size in (batch, *lengths)):
            return compiled()
        key = tf.cast(batch, tf.int64)
        for length in lengths:
            size = length if isinstance(length, int) else padded_length(length)
            key = tf.bitwise.left_shift(key, _BITS) + tf.cast(size, tf.int64)
        table = self._shapes()
        known = table.lookup(key) > 0
        room = table.size() < LIMIT
        chosen = tf.logical_and(pays, tf.logical_or(known, room))

        def run() -> Any:
            table.insert(key, tf.ones_like(key))
            return compiled()

        return tf.cond(chosen, run, plain)

    def _shapes(self) -> Any:
        if self._table is None:
            with tf.init_scope():
                self._table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, 0)
        return self._table
