"""Attention over several memories at once."""

from collections.abc import Sequence
from typing import Any, Self

import keras
from keras import ops

from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.types import Nested, Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class MultiSourceAttention(keras.layers.Layer):
    """A mechanism for each of several memories, whose contexts are concatenated.

        context = [context₁; context₂; …]

    It is called as one mechanism is, with lists in place of single memories, masks, keys, states
    and alignments: so a decoder can attend to an image and a text.

    Args:
        mechanisms: an `Attention` for each memory.
        **kwargs: `name`, `dtype` (of the first mechanism, if not given), `trainable`.

    Call arguments:
        query: `(batch, query_features)`.
        memory: a list of sequences and grids, each as for its mechanism.
        mask: None, or a list of a mask or None for each memory.
        memory_mask: the masks that the memories carry, which Keras passes.
        keys: `project(memory, mask)`, computed beforehand.
        state: a list of states, at first `first_state(memory, mask)`.
        training: whether dropout is on.

    Returns:
        `(context, alignments)`, where alignments are a list, those of each mechanism.

    Raises:
        UserError: if there is no mechanism, or not a memory for each.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import AdditiveAttention, GeneralAttention
        >>> query, text = numpy.zeros((2, 8)), numpy.zeros((2, 5, 4))
        >>> image = numpy.zeros((2, 7, 7, 6))
        >>> attention = MultiSourceAttention([AdditiveAttention(16), GeneralAttention()])
        >>> context, alignments = attention(query, [image, text])
        >>> tuple(context.shape), [tuple(each.shape) for each in alignments]
        ((2, 10), [(2, 1, 7, 7), (2, 1, 5)])

    Source: Zoph and Knight, Multi-Source Neural Translation, 2016, section 4; Libovický and Helcl,
    Attention Strategies for Multi-Source Sequence-to-Sequence Learning, 2017, section 3.
    """

    def __init__(self, mechanisms: Sequence[Attention], **kwargs: Any) -> None:
        if mechanisms:
            kwargs.setdefault("dtype", mechanisms[0].dtype_policy)
        super().__init__(**kwargs)
        if not mechanisms:
            raise layer_error(
                self, "a mechanism for each memory", "none", "pass a list of mechanisms"
            )
        self.mechanisms = list(mechanisms)
        self.supports_masking = True

    @property
    def context_features(self) -> int:
        """How many features a context has, once the layer is built."""
        return sum(mechanism.context_features for mechanism in self.mechanisms)

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        """Builds each mechanism for its memory, unless it comes built from a file."""
        if not isinstance(memory_shape[0], list | tuple):
            expected = f"a list of {len(self.mechanisms)} memories"
            raise layer_error(self, expected, f"one of shape {memory_shape}", "pass them in a list")
        for mechanism, shape in self._pairs(memory_shape):
            if not mechanism.built:
                mechanism.build(query_shape, tuple(shape))

    def project(self, memory: Tensor, mask: Tensor = None) -> list[Any]:
        """Keys of each memory; the layer must be built."""
        return [
            mechanism.project(each, readable)
            for mechanism, each, readable in self._pairs(memory, mask)
        ]

    def blank(self, memory: Tensor, mask: Tensor = None) -> list[Any]:
        """Each memory with zeros where it may not be read."""
        return [
            mechanism.blank(each, readable)
            for mechanism, each, readable in self._pairs(memory, mask)
        ]

    def first_state(self, memory: Tensor, mask: Tensor = None) -> list[Any]:
        """First state of each mechanism."""
        return [
            mechanism.first_state(each, readable)
            for mechanism, each, readable in self._pairs(memory, mask)
        ]

    def next_state(self, state: Nested[Tensor], alignments: Tensor) -> list[Any]:
        """Next state of each mechanism."""
        own = alignments[: len(self.mechanisms)]
        return [
            mechanism.next_state(before, alignment)
            for mechanism, before, alignment in zip(self.mechanisms, state, own, strict=True)
        ]

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
    ) -> tuple[Any, list[Tensor]]:
        """Attends to each memory; see the class for the arguments."""
        mask = memory_mask if mask is None else mask
        contexts, alignments = [], []
        for mechanism, each, readable, key, before in self._pairs(
            memory, mask, keys, state or None
        ):
            context, alignment = mechanism(
                query,
                each,
                readable,
                keys=key,
                state=() if before is None else before,
                training=training,
            )
            contexts.append(context)
            alignments.append(alignment)
        context, shares = self.combine(query, contexts)
        return context, alignments + shares

    def combine(self, query: Tensor, contexts: list[Any]) -> tuple[Any, list[Tensor]]:
        """One context of those of all memories, and alignments over them, if there are any."""
        del query
        return ops.concatenate(contexts, axis=-1), []

    def compute_mask(self, *_: Any) -> None:
        """Neither the context nor the alignments carry a mask."""
        return

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        mechanisms = [keras.saving.serialize_keras_object(each) for each in self.mechanisms]
        return {**super().get_config(), "mechanisms": mechanisms}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates a layer from its config."""
        mechanisms = [keras.saving.deserialize_keras_object(each) for each in config["mechanisms"]]
        return super().from_config({**config, "mechanisms": mechanisms})

    def _pairs(self, memory: Tensor, *others: Any) -> Any:
        """Each mechanism with its part of every argument, None where that is None."""
        count = len(self.mechanisms)
        for each in (memory, *others):
            if each is not None and (not isinstance(each, list | tuple) or len(each) != count):
                came = len(each) if isinstance(each, list | tuple) else "a single one"
                fix = "pass a list with one for each mechanism"
                raise layer_error(self, f"a list of {count}", str(came), fix)
        columns = ([None] * count if each is None else each for each in (memory, *others))
        return zip(self.mechanisms, *columns, strict=True)


@keras.saving.register_keras_serializable("rnnpipe")
class HierarchicalAttention(MultiSourceAttention):
    """A mechanism for each of several memories, and attention over their contexts.

        eₖ = v · tanh(q W + contextₖ Uₖ)     β = softmax(e)     context = Σₖ βₖ contextₖ Pₖ

    So each query weighs the memories, e.g. an image and a text. It is called as
    `MultiSourceAttention`; the list of alignments ends with β, `(batch, 1, memories)`. The weights
    are `query_kernel` (query_features, units), `score_kernel` (units), for each memory k
    `context_kernel_k` (context features, units), for each `output_kernel_k` of the same shape, and
    those of the mechanisms.

    Args:
        mechanisms: an `Attention` for each memory.
        units: size of the layer in which contexts are compared, and of the context.
        **kwargs: `name`, `dtype` (of the first mechanism, if not given), `trainable`.

    Raises:
        UserError: as `MultiSourceAttention`; or if `units` is not positive.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import AdditiveAttention
        >>> query, text = numpy.zeros((2, 8)), numpy.zeros((2, 5, 4))
        >>> image = numpy.zeros((2, 7, 7, 6))
        >>> mechanisms = [AdditiveAttention(16), AdditiveAttention(16)]
        >>> attention = HierarchicalAttention(mechanisms, units=12)
        >>> context, alignments = attention(query, [image, text])
        >>> tuple(context.shape), alignments[-1][0].numpy().tolist()
        ((2, 12), [[0.5, 0.5]])

    Source: Libovický and Helcl, Attention Strategies for Multi-Source Sequence-to-Sequence
    Learning, 2017, section 3.2.
    """

    def __init__(self, mechanisms: Sequence[Attention], units: int, **kwargs: Any) -> None:
        super().__init__(mechanisms, **kwargs)
        if not is_count(units):
            raise layer_error(self, "at least 1 unit", str(units), "write e.g. units=256")
        self.units = units

    @property
    def context_features(self) -> int:
        """How many features a context has."""
        return self.units

    def build(self, query_shape: Shape, memory_shape: Shape) -> None:
        """Builds the mechanisms; creates what compares and projects their contexts."""
        super().build(query_shape, memory_shape)
        self.query_kernel = self.add_weight((query_shape[-1], self.units), name="query_kernel")
        start = keras.initializers.RandomNormal(stddev=self.units**-0.5)
        self.score_kernel = self.add_weight((self.units,), start, name="score_kernel")
        shapes = [(each.context_features, self.units) for each in self.mechanisms]
        self.context_kernels, self.output_kernels = (
            [self.add_weight(shape, name=f"{name}_{k}") for k, shape in enumerate(shapes)]
            for name in ("context_kernel", "output_kernel")
        )

    def combine(self, query: Tensor, contexts: list[Any]) -> tuple[Any, list[Tensor]]:
        """The contexts weighted by β, and β."""
        query = ops.matmul(query, self.query_kernel)
        pairs = zip(contexts, self.context_kernels, strict=True)
        joint = ops.stack([query + ops.matmul(each, kernel) for each, kernel in pairs], axis=1)
        scores = ops.matmul(ops.tanh(joint), self.score_kernel)  # (batch, memories)
        shares = ops.softmax(scores, axis=-1)[:, None, :]
        pairs = zip(contexts, self.output_kernels, strict=True)
        values = ops.stack([ops.matmul(each, kernel) for each, kernel in pairs], axis=1)
        # (batch, 1, memories) x (batch, memories, units)
        return ops.squeeze(ops.matmul(shares, values), axis=1), [shares]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {**super().get_config(), "units": self.units}
