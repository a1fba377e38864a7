"""The two layers of a decoder that have the size of its vocabulary: embedding and logits."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.decoder.checks import check_embedding
from rnnpipe.layers.errors import is_count
from rnnpipe.types import Shape, Tensor


class TiedLogits(keras.layers.Layer):
    """Logits by the transposed embedding E, which is trained as both.

        logits = r Eᵀ + b

    Args:
        embedding: the embedding, `(vocab, embedding_size)`.
        vocab: the size of the vocabulary.
        **kwargs: `name`, `dtype`, as for every Keras layer.

    Call arguments:
        readout: r, `(..., embedding_size)`.
        kernel: the result of `kernel()`, where it was computed beforehand.

    Returns:
        `(..., vocab)`.

    Source: Press and Wolf, Using the Output Embedding to Improve Language Models, 2017.
    """

    def __init__(self, embedding: keras.layers.Embedding, vocab: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.embedding, self.vocab = embedding, vocab
        self.supports_masking = True

    def build(self, readout_shape: Shape) -> None:
        """Creates the bias: the kernel is the embedding's."""
        del readout_shape
        self.bias = self.add_weight((self.vocab,), "zeros", name="bias")

    def call(self, readout: Tensor, kernel: Tensor = None) -> Tensor:
        """The logits; see the class for the equation."""
        kernel = self.kernel() if kernel is None else kernel
        return ops.matmul(readout, kernel) + ops.cast(self.bias, self.compute_dtype)

    def kernel(self) -> Tensor:
        """The embedding as the kernel of the logits, `(embedding_size, vocab)`."""
        if getattr(self.embedding, "quantization_mode", None) is None:
            embeddings = self.embedding.embeddings
        else:  # their scales are known to the layer alone
            embeddings = self.embedding(ops.arange(self.vocab, dtype="int32"))
        return ops.transpose(ops.cast(embeddings, self.compute_dtype))

    def with_kernel(self) -> Callable[[Tensor], Tensor]:
        """A function from readouts to logits, which has the kernel: for a loop over steps."""
        kernel = self.kernel()
        return lambda readout: self(readout, kernel)


def make_embedding(decoder: Any, embedding: int | keras.layers.Embedding) -> Any:
    """The embedding of a decoder: of this size, or the layer that was passed."""
    if not is_count(embedding):
        check_embedding(decoder, embedding)
        return embedding
    return keras.layers.Embedding(
        decoder.vocab,
        int(embedding),
        mask_zero=True,
        dtype=decoder.dtype_policy,
        name="embedding",
    )


def make_logits(decoder: Any) -> keras.layers.Layer:
    """The layer from readouts to logits, with a kernel of its own or that of the embedding."""
    options = {"dtype": decoder.dtype_policy, "name": "logits"}
    if decoder.tie_weights:
        return TiedLogits(decoder.embedding, decoder.vocab, **options)
    return keras.layers.Dense(decoder.vocab, **options)
