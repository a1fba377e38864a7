"""Base of the attention mechanisms: memory, mask, keys, state, alignments, context."""

import math
from typing import Any

import keras
from keras import ops, tree

from rnnpipe.layers.errors import is_count, layer_error, shape_text, shapes_agree
from rnnpipe.types import Nested, Shape, Tensor

SEQUENCE, GRID = "(batch, source_time, features)", "(batch, height, width, channels)"


class Attention(keras.layers.Layer):
    """Base of the attention mechanisms: alignments and context of a memory, given a query.

        eₖᵢ = score_k(query, memoryᵢ)     αₖ = softmax(eₖ) over i     contextₖ = Σᵢ αₖᵢ memoryᵢ

    A mechanism is a subclass with three short methods: `build_scores` makes its weights,
    `project_memory` turns the memory into keys, once for all queries, and `scores` compares a
    query with the keys. One that depends on earlier alignments also has a state, by
    `first_state` and `next_state`; `align` and `read` can replace the softmax and the weighted sum.
    The layer keeps no state between calls.

    Args:
        glimpses: how many alignments each query makes; their contexts are concatenated.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        query: `(batch, query_features)`.
        memory: `(batch, source_time, features)` or a grid `(batch, height, width, channels)`.
        mask: `(batch, source_time)` or `(batch, height, width)`, True where memory may be read.
        memory_mask: the mask that `memory` carries, which Keras passes; `mask` replaces it.
        keys: `project(memory, mask)`, which a decoder computes once for all steps. The memory is
            then read as it is: pass `blank(memory, mask)`, unless its padding is finite.
        state: at first `first_state(memory, mask)`, the default, then `next_state(state,
            alignments)` after each step.
        training: whether dropout is on.

    Returns:
        `(context, alignments)`: `(batch, glimpses * features)`, and `(batch, glimpses,
        source_time)` or `(batch, glimpses, height, width)`. Alignments sum to 1, or to 0 where a
        mask leaves nothing to read; the context is zero there.

    Raises:
        UserError: if query, memory, mask, keys or state have the wrong shape.
    """

    memory_ranks: tuple[int, ...] = (3, 4)
    """How many axes a memory may have: 3 is a sequence, 4 a grid."""

    def __init__(self, glimpses: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_count(glimpses):
            raise layer_error(self, "at least 1 glimpse", str(glimpses), "write e.g. glimpses=2")
        self.glimpses = glimpses
        self.supports_masking = True

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Creates the weights of the score."""
        raise NotImplementedError

    def project_memory(self, memory: Tensor) -> Tensor:
        """Keys of a memory `(batch, positions, features)`: tensors `(batch, positions, ...)`."""
        raise NotImplementedError

    def scores(self, query: Tensor, keys: Tensor, state: Nested[Tensor], training: bool) -> Tensor:
        """Scores of all positions, `(batch, glimpses, positions)`."""
        raise NotImplementedError

    def first_state(self, memory: Tensor, mask: Tensor = None) -> Tensor:
        """The state before the first step: nested tensors `(batch, ...)`, or `()` for none.

        Args:
            memory: as for `call`.
            mask: as for `call`.
        """
        del memory, mask
        return ()

    def next_state(self, state: Nested[Tensor], alignments: Tensor) -> Tensor:
        """The state after a step, of the same structure and shapes as `state`.

        Args:
            state: that was passed to `call`.
            alignments: that `call` returned.
        """
        del alignments
        return state

    def align(
        self, scores: Tensor, readable: Tensor, query: Tensor, state: Nested[Tensor], training: bool
    ) -> Tensor:
        """Alignments `(batch, glimpses, positions)`, exactly zero where not `readable`."""
        del query, state, training
        return masked_softmax(scores, readable)

    def read(self, alignments: Tensor, memory: Tensor, query: Tensor, training: bool) -> Tensor:
        """The context `(batch, ...)` of alignments over a memory `(batch, positions, features)`."""
        del query, training
        # (batch, glimpses, positions) x (batch, positions, features)
        context = ops.matmul(alignments, memory)
        return ops.reshape(context, (-1, self.context_features))

    @property
    def context_features(self) -> int:
        """How many features a context has, once the layer is built."""
        return self.glimpses * self.memory_features

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        """Creates the weights for the feature sizes of query and memory."""
        if len(query_shape) != 2:
            raise layer_error(
                self, "a query (batch, query_features)", str(tuple(query_shape)), "take one step"
            )
        if len(memory_shape) not in self.memory_ranks:
            expected = f"a memory {self._memory_text()}"
            raise layer_error(self, expected, str(tuple(memory_shape)), "keep its positions apart")
        self.query_features, self.memory_features = query_shape[-1], memory_shape[-1]
        self.build_scores(self.query_features, self.memory_features)

    def project(self, memory: Tensor, mask: Tensor = None) -> Tensor:
        """Keys of a memory, for `call(..., keys=keys)`; the layer must be built.

        Args:
            memory: as for `call`.
            mask: as for `call`.

        Returns:
            Tensors `(batch, positions, ...)`, of most mechanisms one `(batch, positions, units)`.
        """
        memory = ops.convert_to_tensor(memory, dtype=self.compute_dtype)
        positions, _ = self._flatten(self.blank(memory, mask), mask)
        return self.project_memory(positions)

    def blank(self, memory: Tensor, mask: Tensor = None) -> Tensor:
        """A memory with zeros at masked positions, for `call(..., keys=keys)`.

        A NaN there would reach context and gradients as 0 · NaN.

        Args:
            memory: as for `call`.
            mask: as for `call`.
        """
        if mask is None:
            return memory
        readable = ops.cast(mask, "bool")[..., None]
        return ops.where(readable, memory, ops.zeros_like(memory))

    def call(
        self,
        query: Tensor,
        memory: Tensor,
        mask: Tensor = None,
        *,
        keys: Tensor = None,
        state: Nested[Tensor] = (),
        memory_mask: Tensor = None,
        training: bool = False,
    ) -> tuple[Tensor, Nested[Tensor]]:
        """Attends once; see the class for the arguments."""
        # Keras itself fills an argument of the name `memory_mask`, on every backend.
        mask = memory_mask if mask is None else mask
        self._check(query, memory, mask)
        if keys is None:
            memory = self.blank(memory, mask)
        positions, readable = self._flatten(memory, mask)
        if keys is None:
            keys = self.project_memory(positions)
        self._check_keys(keys, positions)
        state = self._state_or_first(state, self.first_state(memory, mask))
        scores = self.scores(query, keys, state, training)
        alignments = self.align(scores, readable, query, state, training)
        context = self.read(alignments, positions, query, training)
        return context, _unflatten(alignments, memory)

    def compute_mask(self, *_: Any) -> None:
        """Neither the context nor the alignments carry a mask."""
        return

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {**super().get_config(), "glimpses": self.glimpses}

    def _zero_alignments(self, memory: Tensor) -> Tensor:
        """Alignments before the first step: zeros `(batch, glimpses, ...positions)`."""
        batch, *positions, _ = ops.shape(memory)
        return ops.zeros((batch, self.glimpses, *positions), dtype=self.compute_dtype)

    def _cast(self, weight: Tensor) -> Tensor:
        """A weight in the compute dtype, which Keras casts to in calls only, not in `project`."""
        return ops.cast(weight, self.compute_dtype)

    def _flatten(self, memory: Tensor, mask: Tensor) -> tuple[Tensor, Nested[Tensor]]:
        """Memory as `(batch, positions, features)`, and its flat mask."""
        if len(memory.shape) == 4:
            batch, height, width, _ = ops.shape(memory)
            memory = ops.reshape(memory, (batch, height * width, memory.shape[-1]))
            mask = None if mask is None else ops.reshape(mask, (batch, height * width))
        if mask is None:
            return memory, None
        return memory, ops.cast(mask, "bool")

    def _memory_text(self) -> str:
        names = {3: SEQUENCE, 4: GRID}
        return " or ".join(names[rank] for rank in self.memory_ranks)

    def _check(self, query: Tensor, memory: Tensor, mask: Tensor) -> None:
        if len(query.shape) != 2 or query.shape[-1] != self.query_features:
            expected = f"a query of shape (batch, {self.query_features})"
            raise layer_error(self, expected, shape_text(query), "pass the query it was built for")
        if memory is None:
            raise layer_error(
                self, f"a memory {self._memory_text()}", "None", "pass the memory to attend to"
            )
        if len(memory.shape) not in self.memory_ranks or memory.shape[-1] != self.memory_features:
            expected = f"a memory {self._memory_text()} with {self.memory_features} features"
            raise layer_error(
                self, expected, shape_text(memory), "pass the memory it was built for"
            )
        if mask is not None and not shapes_agree(mask.shape, memory.shape[:-1]):
            expected = f"a mask over the memory's positions {tuple(memory.shape[:-1])}"
            raise layer_error(
                self, expected, shape_text(mask), "pass one boolean for each position"
            )

    def _check_keys(self, keys: Tensor, positions: Tensor) -> None:
        for each in tree.flatten(keys):
            if not shapes_agree(each.shape[:2], positions.shape[:2]):
                expected = f"keys of {positions.shape[1]} positions"
                fix = "pass what project(memory, mask) returned for this memory"
                raise layer_error(self, expected, shape_text(each), fix)

    def _state_or_first(self, state: Nested[Tensor], first: Any) -> Tensor:
        """The state, if there is one, or the first."""
        tensors, first_tensors = tree.flatten(state), tree.flatten(first)
        if not tensors:
            return first
        shapes = [tuple(tensor.shape) for tensor in tensors]
        expected = [tuple(tensor.shape) for tensor in first_tensors]
        if len(shapes) != len(expected) or not all(map(shapes_agree, shapes, expected)):
            fix = "pass what first_state or next_state returned for this memory"
            raise layer_error(self, f"a state of shapes {expected}", str(shapes), fix)
        return state


def masked_softmax(scores: Tensor, readable: Tensor) -> Tensor:
    """Softmax over the last axis, exactly zero at masked positions.

    Args:
        scores: `(batch, glimpses, positions)`.
        readable: booleans `(batch, positions)` or `(batch, glimpses, positions)`, or None for all.

    Returns:
        `(batch, glimpses, positions)` in the dtype of `scores`, computed in float32 at least.
        Sums to 1, or to 0 where no position may be read.
    """
    dtype = keras.backend.standardize_dtype(scores.dtype)
    if dtype != "float64":
        scores = ops.cast(scores, "float32")
    if readable is None:
        return ops.cast(_softmax(scores), dtype)
    if len(readable.shape) == 2:
        readable = readable[:, None, :]
    lowest = -1e38 if dtype != "float64" else -1e300
    alignments = _softmax(ops.where(readable, scores, lowest))
    # Where every position is masked, the softmax is uniform and this makes it zero.
    alignments = ops.where(readable, alignments, ops.zeros_like(alignments))
    return ops.cast(alignments, dtype)


def _softmax(scores: Tensor) -> Tensor:
    """Softmax over the last axis; that of Keras warns if the axis has size 1."""
    # Without rows or positions there is no largest score.
    largest = ops.max(scores, axis=-1, keepdims=True, initial=-math.inf)
    largest = ops.stop_gradient(largest)
    shares = ops.exp(scores - largest)
    return shares / ops.sum(shares, axis=-1, keepdims=True)


def _unflatten(alignments: Tensor, memory: Tensor) -> Tensor:
    """Alignments over the positions that the memory has: its rows and columns, if it is a grid."""
    if len(memory.shape) == 3:
        return alignments
    batch, height, width, _ = ops.shape(memory)
    return tree.map_structure(
        lambda each: ops.reshape(each, (batch, each.shape[1], height, width)), alignments
    )
