"""Multi-head attention (Vaswani et al. 2017), one query at a time."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.layers.initializers import draw_anew
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class MultiHeadAttention(Attention):
    """Heads that each compare query and memory in a space of their own.

        eₕᵢ = (q Q_h) · (mᵢ K_h) / √key_dim     αₕ = softmax(eₕ)     context = Σₕ Σᵢ αₕᵢ mᵢ V_h O_h

    It is `keras.layers.MultiHeadAttention` for one query: the same arguments, weights (names,
    shapes, order) and results, so weights move both ways. The values are projected after the heads
    have averaged the memory, which is the same and takes one product for each head, not one for
    each position. `Attention` has the call arguments, returns and errors; the heads are its
    glimpses, and the context is `(batch, output_shape)`.

    Args:
        num_heads: how many heads, and so alignments.
        key_dim: units in which a head compares.
        value_dim: units of what a head reads; `key_dim` if None.
        use_bias: whether the four projections have biases.
        output_shape: features of the context; as many as the query's if None.
        dropout: fraction of the alignments that is dropped in training; those returned are whole.
        kernel_initializer: of the kernels.
        kernel_regularizer: of the kernels.
        seed: of the dropout.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Raises:
        UserError: as `Attention`; or if a size is not positive.

    Example:
        >>> import numpy
        >>> query, memory = numpy.zeros((2, 8)), numpy.zeros((2, 5, 6))
        >>> context, alignments = MultiHeadAttention(num_heads=4, key_dim=3)(query, memory)
        >>> tuple(context.shape), tuple(alignments.shape)
        ((2, 8), (2, 4, 5))

    Source: Vaswani et al., Attention Is All You Need, 2017, section 3.2.2.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        *,
        use_bias: bool = True,
        output_shape: int | None = None,
        dropout: float = 0.0,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        sizes = {"num_heads": num_heads, "key_dim": key_dim, "value_dim": value_dim}
        super().__init__(num_heads if is_count(num_heads) else 1, **kwargs)
        for name, size in (*sizes.items(), ("output_shape", output_shape)):
            if size is not None and not is_count(size):
                raise layer_error(self, f"{name} of at least 1", str(size), f"write e.g. {name}=8")
        self.key_dim, self.value_dim = key_dim, value_dim or key_dim
        self.use_bias, self.output_features = use_bias, output_shape
        self.dropout = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    @property
    def context_features(self) -> int:
        """How many features a context has, once the layer is built."""
        return self.output_features or self.query_features

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Creates kernel and bias of the queries, keys, values and output."""
        heads, out = self.glimpses, self.context_features
        query, key = (query_features, heads, self.key_dim), (memory_features, heads, self.key_dim)
        value, output = (memory_features, heads, self.value_dim), (heads, self.value_dim, out)
        self.query_kernel, self.query_bias = self._pair("query", query, query[1:])
        self.key_kernel, self.key_bias = self._pair("key", key, key[1:])
        self.value_kernel, self.value_bias = self._pair("value", value, value[1:])
        self.output_kernel, self.output_bias = self._pair("output", output, output[2:])

    def project_memory(self, memory: Tensor) -> Tensor:
        """Keys mᵢ K_h, `(batch, positions, heads, key_dim)`."""
        # A product of matrices: TensorFlow's einsum fails where rows and positions are both none.
        kernel = ops.reshape(self._cast(self.key_kernel), (self.memory_features, -1))
        shape = (*ops.shape(memory)[:2], self.glimpses, self.key_dim)
        keys = ops.reshape(ops.matmul(memory, kernel), shape)
        return keys if self.key_bias is None else keys + self._cast(self.key_bias)

    def scores(self, query: Tensor, keys: Tensor, state: Nested[Tensor], training: bool) -> Tensor:
        """(q Q_h) · keyₕᵢ / √key_dim, `(batch, heads, positions)`."""
        del state, training
        query = ops.einsum("bq,qhk->bhk", query, self.query_kernel)
        if self.query_bias is not None:
            query = query + self.query_bias
        return ops.einsum("bhk,bphk->bhp", query * self.key_dim**-0.5, keys)

    def read(self, alignments: Tensor, memory: Tensor, query: Tensor, training: bool) -> Tensor:
        """What the heads read together, `(batch, output_shape)`."""
        del query
        alignments = self.dropout(alignments, training=training)
        averages = ops.matmul(alignments, memory)  # (batch, heads, features)
        values = ops.einsum("bhf,fhv->bhv", averages, self.value_kernel)
        if self.value_bias is not None:
            # The bias of each position, averaged as the positions are.
            values = values + ops.sum(alignments, axis=-1, keepdims=True) * self.value_bias
        context = ops.einsum("bhv,hvo->bo", values, self.output_kernel)
        return context if self.output_bias is None else context + self.output_bias

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        config = super().get_config()
        heads = config.pop("glimpses")
        return {
            **config,
            "num_heads": heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "use_bias": self.use_bias,
            "output_shape": self.output_features,
            "dropout": self.dropout.rate,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "seed": self.dropout.seed,
        }

    def _pair(
        self, name: str, shape: tuple[int, ...], bias: tuple[int, ...]
    ) -> tuple[Tensor, Nested[Tensor]]:
        """Kernel and bias of a projection."""
        kernel = self.add_weight(
            shape,
            draw_anew(self.kernel_initializer),
            name=f"{name}_kernel",
            regularizer=self.kernel_regularizer,
        )
        if not self.use_bias:
            return kernel, None
        return kernel, self.add_weight(bias, "zeros", name=f"{name}_bias")
