"""Multiplicative attention: dot, scaled dot and general (Luong et al. 2015)."""

from typing import Any, Literal, get_args

import keras
from keras import ops

from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.layers.errors import layer_error
from rnnpipe.types import Nested, Tensor

Scale = Literal["sqrt", "learned"]


@keras.saving.register_keras_serializable("rnnpipe")
class DotAttention(Attention):
    """Dot-product attention: the query itself is compared with the memory.

        eᵢ = s q · mᵢ     α = softmax(e)     context = Σᵢ αᵢ mᵢ

    Query and memory have the same number of features. `Attention` has the call arguments, returns
    and errors.

    Args:
        scale: s: 1 for None, 1 / √features for `"sqrt"` (which keeps the softmax from hardening as
            features grow), or a weight of its own for `"learned"`, from 1.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Raises:
        UserError: as `Attention`; or if query and memory differ in features, or there is no such
            scale.

    Example:
        >>> import numpy
        >>> query, memory = numpy.zeros((2, 6)), numpy.zeros((2, 5, 6))
        >>> context, alignments = DotAttention(scale="sqrt")(query, memory)
        >>> tuple(context.shape), tuple(alignments.shape)
        ((2, 6), (2, 1, 5))

    Source: Luong, Pham and Manning, Effective Approaches to Attention-based Neural Machine
    Translation, 2015, section 3.1; scaled as by Vaswani et al., Attention Is All You Need, 2017,
    section 3.2.1.
    """

    def __init__(self, scale: Scale | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if scale is not None and scale not in get_args(Scale):
            raise layer_error(
                self, "a scale of None, 'sqrt' or 'learned'", repr(scale), "choose one"
            )
        self.scale = scale

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Checks that query and memory can be compared; creates the scale."""
        if query_features != memory_features:
            got = f"{query_features} and {memory_features}"
            fix = "project one of them, or take GeneralAttention()"
            raise layer_error(self, "as many features in the query as in the memory", got, fix)
        self._build_scale()

    def project_memory(self, memory: Tensor) -> Tensor:
        """Keys are the memory itself."""
        return memory

    def directions(self, query: Tensor) -> Tensor:
        """What the memory is compared with, `(batch, glimpses, features)`."""
        return query[:, None, :]

    def scores(self, query: Tensor, keys: Tensor, state: Nested[Tensor], training: bool) -> Tensor:
        """S q · mᵢ, `(batch, glimpses, positions)`."""
        del state, training
        scores = ops.einsum("bgf,bpf->bgp", self.directions(query), keys)
        if self.scale == "learned":
            return scores * self.score_scale
        return scores * self.memory_features**-0.5 if self.scale == "sqrt" else scores

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        config = super().get_config()
        del config["glimpses"]  # one: a second would be the same
        return {**config, "scale": self.scale}

    def _build_scale(self) -> None:
        if self.scale == "learned":
            self.score_scale = self.add_weight((), "ones", name="score_scale")


@keras.saving.register_keras_serializable("rnnpipe")
class GeneralAttention(DotAttention):
    """Multiplicative attention with a weight between query and memory.

        eₖᵢ = s (q Wₖ) · mᵢ     αₖ = softmax(eₖ)     context = [Σᵢ αₖᵢ mᵢ]ₖ

    The weight is `kernel` (query_features, glimpses, features): the query is projected, not the
    memory, so that keys cost neither time nor room. `Attention` has the call arguments, returns and
    errors.

    Args:
        glimpses: how many alignments each query makes.
        scale: s, as for `DotAttention`.
        kernel_initializer: of the kernel.
        kernel_regularizer: of the kernel.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Example:
        >>> import numpy
        >>> query, memory = numpy.zeros((2, 8)), numpy.zeros((2, 5, 6))
        >>> context, alignments = GeneralAttention(glimpses=2)(query, memory)
        >>> tuple(context.shape), tuple(alignments.shape)
        ((2, 12), (2, 2, 5))

    Source: Luong, Pham and Manning, 2015, section 3.1.
    """

    def __init__(
        self,
        glimpses: int = 1,
        *,
        scale: Scale | None = None,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scale, glimpses=glimpses, **kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Creates the kernel and the scale."""
        self.kernel = self.add_weight(
            (query_features, self.glimpses, memory_features),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
        )
        self._build_scale()

    def directions(self, query: Tensor) -> Tensor:
        """Q Wₖ, `(batch, glimpses, features)`."""
        return ops.einsum("bq,qgf->bgf", query, self.kernel)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "glimpses": self.glimpses,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
