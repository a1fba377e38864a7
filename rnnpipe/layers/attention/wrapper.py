"""Base of the mechanisms around another mechanism."""

from typing import Any, Self

import keras

from rnnpipe.errors import UserError
from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.types import Nested, Shape, Tensor


class AttentionWrapper(Attention):
    """Base of mechanisms that change one part of another: its softmax, or its context.

    Keys, scores, state, alignments and contexts are those of the mechanism; a subclass overrides
    what it changes.

    Args:
        mechanism: any `Attention` that is not built yet.
        **kwargs: `name`, `dtype` (of the mechanism, if not given), `trainable`.

    Raises:
        UserError: if `mechanism` is not an `Attention`, or not one that this class can change.
    """

    replaces_softmax = False
    """Whether the class has its own alignment, and so needs a mechanism with the softmax."""

    def __init__(self, mechanism: Attention, **kwargs: Any) -> None:
        expected = "a mechanism"
        fits = isinstance(mechanism, Attention)
        if self.replaces_softmax:
            expected += " that aligns by softmax"
            fits = fits and type(mechanism).align is Attention.align
        if not fits:
            fix = "pass e.g. AdditiveAttention(256)"
            raise UserError(type(self).__name__, expected, type(mechanism).__name__, fix)
        kwargs.setdefault("dtype", mechanism.dtype_policy)
        super().__init__(mechanism.glimpses, **kwargs)
        self.mechanism = mechanism
        self.memory_ranks = tuple(r for r in self.memory_ranks if r in mechanism.memory_ranks)

    @property
    def context_features(self) -> int:
        """How many features a context of the mechanism has."""
        return self.mechanism.context_features

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        """Builds the mechanism, unless it is loaded from a file, then what this class adds."""
        if not self.mechanism.built:
            self.mechanism.build(query_shape, memory_shape)
        super().build(query_shape, memory_shape)

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Adds no weights to those of the mechanism."""

    def project_memory(self, memory: Tensor) -> Tensor:
        """Keys of the mechanism."""
        return self.mechanism.project_memory(memory)

    def scores(self, query: Tensor, keys: Tensor, state: Nested[Tensor], training: bool) -> Tensor:
        """Scores of the mechanism."""
        return self.mechanism.scores(query, keys, state, training)

    def first_state(self, memory: Tensor, mask: Tensor = None) -> Tensor:
        """First state of the mechanism."""
        return self.mechanism.first_state(memory, mask)

    def next_state(self, state: Nested[Tensor], alignments: Tensor) -> Tensor:
        """Next state of the mechanism."""
        return self.mechanism.next_state(state, alignments)

    def align(
        self, scores: Tensor, readable: Tensor, query: Tensor, state: Nested[Tensor], training: bool
    ) -> Tensor:
        """Alignments of the mechanism."""
        return self.mechanism.align(scores, readable, query, state, training)

    def read(self, alignments: Tensor, memory: Tensor, query: Tensor, training: bool) -> Tensor:
        """Context of the mechanism."""
        return self.mechanism.read(alignments, memory, query, training)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        config = super().get_config()
        del config["glimpses"]  # those of the mechanism
        return {**config, "mechanism": keras.saving.serialize_keras_object(self.mechanism)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates a layer from its config."""
        mechanism = keras.saving.deserialize_keras_object(config["mechanism"])
        return super().from_config({**config, "mechanism": mechanism})
