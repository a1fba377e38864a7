"""What all mechanisms around another mechanism share."""

from typing import Any, Self

import keras

from rnnpipe.errors import UserError
from rnnpipe.layers.attention.mechanism import Attention


class AttentionWrapper(Attention):
    """Base of what changes one thing about another mechanism: its softmax, or its context.

    Keys, scores, state, alignments and contexts are those of the mechanism; a subclass takes the
    place of what it changes.

    Args:
        mechanism: any `Attention` that is not built yet.
        **kwargs: `name`, `dtype` (of the mechanism, if not given), `trainable`.

    Raises:
        UserError: if `mechanism` is none, or none that this class can change.
    """

    replaces_softmax = False
    """Whether the class aligns in its own way, and so needs a mechanism that has none."""

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

    def build(self, query_shape: Any, memory_shape: Any) -> None:
        """Builds the mechanism, unless it comes built from a file, then what this class adds."""
        if not self.mechanism.built:
            self.mechanism.build(query_shape, memory_shape)
        super().build(query_shape, memory_shape)

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Adds no weights to those of the mechanism."""

    def project_memory(self, memory: Any) -> Any:
        """Keys of the mechanism."""
        return self.mechanism.project_memory(memory)

    def scores(self, query: Any, keys: Any, state: Any, training: Any) -> Any:
        """Scores of the mechanism."""
        return self.mechanism.scores(query, keys, state, training)

    def first_state(self, memory: Any, mask: Any = None) -> Any:
        """First state of the mechanism."""
        return self.mechanism.first_state(memory, mask)

    def next_state(self, state: Any, alignments: Any) -> Any:
        """Next state of the mechanism."""
        return self.mechanism.next_state(state, alignments)

    def align(self, scores: Any, readable: Any, query: Any, state: Any, training: Any) -> Any:
        """Alignments of the mechanism."""
        return self.mechanism.align(scores, readable, query, state, training)

    def read(self, alignments: Any, memory: Any, query: Any, training: Any) -> Any:
        """Context of the mechanism."""
        return self.mechanism.read(alignments, memory, query, training)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        config = super().get_config()
        del config["glimpses"]  # those of the mechanism
        return {**config, "mechanism": keras.saving.serialize_keras_object(self.mechanism)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The layer that `get_config` describes."""
        mechanism = keras.saving.deserialize_keras_object(config["mechanism"])
        return super().from_config({**config, "mechanism": mechanism})
