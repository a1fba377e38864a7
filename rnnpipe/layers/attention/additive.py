"""Additive attention (Bahdanau et al. 2015)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.layers.initializers import draw_anew
from rnnpipe.types import Nested, Tensor

_LEAST_SQUARE = 1e-8  # of the length of a direction: one of zeros has none


@keras.saving.register_keras_serializable("rnnpipe")
class AdditiveAttention(Attention):
    """Additive attention with one or more glimpses.

        eₖᵢ = vₖ · tanh(q W_q + mᵢ W_m + b)     αₖ = softmax(eₖ)     context = [Σᵢ αₖᵢ mᵢ]ₖ

    Query q and memory m meet in one joint layer of `units`; each glimpse k scores it with its own
    vector vₖ, and the contexts of all glimpses are concatenated. The weights are `query_kernel`
    (query_features, units), `memory_kernel` (features, units), `bias` (units) and `score_kernel`
    (units, glimpses), and where normalised `score_gain` (glimpses). `Attention` has the call
    arguments, returns and errors.

    Normalised, vₖ is gₖ vₖ / ‖vₖ‖: its length gₖ is learned apart from its direction. Without a
    bias, the mechanism is the concat score of Luong 2015: v · tanh(W [q; m]).

    Args:
        units: the size of the joint layer.
        glimpses: how many alignments each query makes.
        activation: of the joint layer: `"tanh"` (Bahdanau), `"relu"` (Kazemi and Elqursh), or
            any Keras activation.
        use_bias: whether the joint layer has a bias.
        normalize: whether vₖ is normalised.
        dropout: fraction of the joint layer that is dropped in training.
        kernel_initializer: of the three kernels.
        bias_initializer: of the bias.
        kernel_regularizer: of the three kernels.
        seed: of the dropout.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Example:
        >>> import numpy
        >>> query, memory = numpy.zeros((2, 8)), numpy.zeros((2, 5, 6))
        >>> context, alignments = AdditiveAttention(16, glimpses=2)(query, memory)
        >>> tuple(context.shape), tuple(alignments.shape)
        ((2, 12), (2, 2, 5))

    Source: Bahdanau, Cho and Bengio, Neural Machine Translation by Jointly Learning to Align and
    Translate, 2015, A.1.2; glimpses after Kazemi and Elqursh, Show, Ask, Attend, and Answer, 2017,
    section 3.3; normalised as by Salimans and Kingma, Weight Normalization, 2016.
    """

    def __init__(
        self,
        units: int,
        glimpses: int = 1,
        *,
        activation: Any = "tanh",
        use_bias: bool = True,
        normalize: bool = False,
        dropout: float = 0.0,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(glimpses, **kwargs)
        if not is_count(units):
            raise layer_error(self, "at least 1 unit", str(units), "write e.g. units=256")
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias, self.normalize = use_bias, normalize
        self.dropout = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Creates the three kernels, the bias and the gain."""
        self.query_kernel = self._kernel("query_kernel", query_features, self.units)
        self.memory_kernel = self._kernel("memory_kernel", memory_features, self.units)
        self.bias = (
            self.add_weight((self.units,), self.bias_initializer, name="bias")
            if self.use_bias
            else None
        )
        self.score_kernel = self._kernel("score_kernel", self.units, self.glimpses)
        if self.normalize:
            start = keras.initializers.Constant(self.units**-0.5)
            self.score_gain = self.add_weight((self.glimpses,), start, name="score_gain")

    def project_memory(self, memory: Tensor) -> Tensor:
        """Keys m W_m + b: all of the joint layer that no query changes."""
        keys = ops.matmul(memory, self._cast(self.memory_kernel))
        return keys if self.bias is None else keys + self._cast(self.bias)

    def joint(self, query: Tensor, keys: Tensor, state: Nested[Tensor]) -> Tensor:
        """The joint layer before its activation, `(batch, positions, units)`."""
        del state
        return keys + ops.matmul(query, self.query_kernel)[:, None, :]

    def scores(self, query: Tensor, keys: Tensor, state: Nested[Tensor], training: bool) -> Tensor:
        """vₖ · activation(q W_q + keyᵢ), `(batch, glimpses, positions)`."""
        joint = self.activation(self.joint(query, keys, state))
        kernel = self.score_gain * self._directions() if self.normalize else self.score_kernel
        return ops.einsum("bpu,ug->bgp", self.dropout(joint, training=training), kernel)

    def _directions(self) -> Tensor:
        """The score kernels with a length of 1, or of 0."""
        # Half precision has no squares of small numbers. Keras' own `normalize` has no gradient at
        # zeros: that of a reciprocal root, infinite, times 0.
        exact = "float64" if self.compute_dtype == "float64" else "float32"
        kernel = ops.cast(self.score_kernel, exact)
        square = ops.sum(ops.square(kernel), axis=0)
        return self._cast(kernel * ops.rsqrt(ops.maximum(square, _LEAST_SQUARE)))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "normalize": self.normalize,
            "dropout": self.dropout.rate,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "seed": self.dropout.seed,
        }

    def _kernel(self, name: str, rows: int, columns: int) -> Tensor:
        return self.add_weight(
            (rows, columns),
            draw_anew(self.kernel_initializer),
            name=name,
            regularizer=self.kernel_regularizer,
        )
