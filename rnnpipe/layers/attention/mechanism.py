"""What all attention mechanisms share: memory, mask, alignment, context."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.faults import fault, shape_text, shapes_agree

MEMORY = "(batch, source_time, features) or (batch, height, width, channels)"


class Attention(keras.layers.Layer):
    """Base of the attention mechanisms: where to look in a memory, given a query.

        eₖᵢ = score_k(query, memoryᵢ)     αₖ = softmax(eₖ) over i     contextₖ = Σᵢ αₖᵢ memoryᵢ

    A mechanism is a subclass with three short methods: `build_scores` makes its weights,
    `project` turns the memory into keys, once for all queries, and `scores` compares a query with
    the keys. The softmax is computed in float32 at least, and masked positions get exactly zero.

    Args:
        glimpses: how many alignments each query makes; their contexts are concatenated.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        query: `(batch, query_features)`.
        memory: `(batch, source_time, features)` or a grid `(batch, height, width, channels)`.
        mask: `(batch, source_time)` or `(batch, height, width)`, True where memory may be read.
        memory_mask: the mask that `memory` carries, which Keras passes; `mask` takes its place.
        keys: `project(memory, mask)`, if it is at hand: a decoder computes it once and not at
            every step.
        training: whether dropout is on.

    Returns:
        `(context, alignments)`: `(batch, glimpses * features)`, and `(batch, glimpses,
        source_time)` or `(batch, glimpses, height, width)`. Alignments sum to 1, or to 0 where a
        mask leaves nothing to read; the context is zero there.

    Raises:
        UserError: if query, memory, mask or keys have the wrong shape.
    """

    def __init__(self, glimpses: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if glimpses < 1:
            raise fault(self, "at least 1 glimpse", str(glimpses), "write e.g. glimpses=2")
        self.glimpses = glimpses
        self.supports_masking = True

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Creates the weights of the score."""
        raise NotImplementedError

    def project_memory(self, memory: Any) -> Any:
        """Keys of a memory: `(batch, positions, features)` to `(batch, positions, units)`."""
        raise NotImplementedError

    def scores(self, query: Any, keys: Any, training: Any) -> Any:
        """Scores of all positions, `(batch, glimpses, positions)`."""
        raise NotImplementedError

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        """Creates the weights for the feature sizes of query and memory."""
        if len(query_shape) != 2:
            raise fault(
                self, "a query (batch, query_features)", str(tuple(query_shape)), "take one step"
            )
        if len(memory_shape) not in (3, 4):
            raise fault(
                self, f"a memory {MEMORY}", str(tuple(memory_shape)), "keep its positions apart"
            )
        self.query_features, self.memory_features = query_shape[-1], memory_shape[-1]
        self.build_scores(self.query_features, self.memory_features)

    def project(self, memory: Any, mask: Any = None) -> Any:
        """Keys of a memory, for `call(..., keys=keys)`; the layer must be built.

        Args:
            memory: as for `call`.
            mask: as for `call`.

        Returns:
            `(batch, positions, units)`.
        """
        memory = ops.convert_to_tensor(memory, dtype=self.compute_dtype)
        positions, _ = self._flatten(memory, mask)
        return self.project_memory(positions)

    def call(
        self,
        query: Any,
        memory: Any,
        mask: Any = None,
        *,
        keys: Any = None,
        memory_mask: Any = None,
        training: Any = False,
    ) -> tuple[Any, Any]:
        """Looks once; see the class for the arguments."""
        # Keras itself fills an argument of the name `memory_mask`, on every backend.
        mask = memory_mask if mask is None else mask
        self._check(query, memory, mask)
        positions, readable = self._flatten(memory, mask)
        if keys is None:
            keys = self.project_memory(positions)
        elif not shapes_agree(keys.shape[:2], positions.shape[:2]):
            raise fault(
                self,
                f"keys of {positions.shape[1]} positions",
                shape_text(keys),
                "pass what project(memory, mask) returned for this memory",
            )
        alignments = self._align(self.scores(query, keys, training), readable)
        # (batch, glimpses, positions) x (batch, positions, features)
        context = ops.matmul(alignments, positions)
        context = ops.reshape(context, (-1, self.glimpses * self.memory_features))
        if len(memory.shape) == 4:
            _, height, width, _ = ops.shape(memory)
            alignments = ops.reshape(alignments, (-1, self.glimpses, height, width))
        return context, alignments

    def compute_mask(self, *_: Any) -> None:
        """Neither the context nor the alignments carry a mask."""
        return

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        return {**super().get_config(), "glimpses": self.glimpses}

    def _flatten(self, memory: Any, mask: Any) -> tuple[Any, Any]:
        """Memory as `(batch, positions, features)`, blank where masked, and its flat mask."""
        batch, positions = ops.shape(memory)[0], memory.shape[1]
        if len(memory.shape) == 4:
            _, height, width, _ = ops.shape(memory)
            positions = height * width
            memory = ops.reshape(memory, (batch, positions, memory.shape[-1]))
        if mask is None:
            return memory, None
        mask = ops.cast(ops.reshape(mask, (batch, -1)), "bool")
        # A NaN in the padding would reach context and gradients as 0 * NaN.
        return ops.where(mask[:, :, None], memory, ops.zeros_like(memory)), mask

    def _align(self, scores: Any, readable: Any) -> Any:
        """Softmax over the readable positions, in float32 at least."""
        if self.compute_dtype != "float64":
            scores = ops.cast(scores, "float32")
        if readable is None:
            return ops.cast(ops.softmax(scores, axis=-1), self.compute_dtype)
        readable = readable[:, None, :]
        lowest = -1e38 if self.compute_dtype != "float64" else -1e300
        alignments = ops.softmax(ops.where(readable, scores, lowest), axis=-1)
        # Where nothing is readable, the softmax is uniform and this makes it zero.
        alignments = ops.where(readable, alignments, ops.zeros_like(alignments))
        return ops.cast(alignments, self.compute_dtype)

    def _check(self, query: Any, memory: Any, mask: Any) -> None:
        if len(query.shape) != 2 or query.shape[-1] != self.query_features:
            expected = f"a query of shape (batch, {self.query_features})"
            raise fault(self, expected, shape_text(query), "pass the query it was built for")
        if len(memory.shape) not in (3, 4) or memory.shape[-1] != self.memory_features:
            expected = f"a memory {MEMORY} with {self.memory_features} features"
            raise fault(self, expected, shape_text(memory), "pass the memory it was built for")
        if mask is not None and not shapes_agree(mask.shape, memory.shape[:-1]):
            expected = f"a mask over the memory's positions {tuple(memory.shape[:-1])}"
            raise fault(self, expected, shape_text(mask), "pass one boolean for each position")
