"""Embeddings in two channels: one that training changes, and one that stays as it was."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.types import Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class TwoChannelEmbedding(keras.layers.Layer):
    """Two vectors of each token side by side: one is trained, the other stays as it was.

        xₜ = [tuned[tokenₜ]; frozen[tokenₜ]]

    Where both begin with the same vectors, learnt from much text, the first may bend to the task
    while the second keeps what words have in common that training never shows.

    Args:
        vocab: how many tokens there are.
        size: features of each of the two vectors.
        embeddings_initializer: of the vectors, the same in both tables; see `assign`.
        mask_zero: whether the token 0 is padding, and masked.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        tokens: ids, `(batch, time)` or any other shape.

    Returns:
        `(batch, time, 2 size)`.

    Raises:
        UserError: if `vocab` or `size` is not positive.

    Example:
        >>> import numpy
        >>> embedding = TwoChannelEmbedding(vocab=9, size=3)
        >>> tuple(embedding(numpy.array([[4, 5, 0]])).shape)
        (1, 3, 6)
        >>> len(embedding.trainable_weights), len(embedding.non_trainable_weights)
        (1, 1)

    Source: the multichannel model of Kim, Convolutional Neural Networks for Sentence
    Classification, 2014, section 2.2.
    """

    def __init__(
        self,
        vocab: int,
        size: int,
        *,
        embeddings_initializer: Any = "uniform",
        mask_zero: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (("vocab", vocab), ("size", size)):
            if not is_count(value):
                fix = f"write e.g. {name}=100"
                raise layer_error(self, f"a {name} of at least 1", str(value), fix)
        self.vocab, self.size, self.mask_zero = vocab, size, mask_zero
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        start, policy = self.embeddings_initializer, self.dtype_policy
        self.tuned = keras.layers.Embedding(
            vocab, size, embeddings_initializer=start, dtype=policy, name="tuned"
        )
        self.frozen = keras.layers.Embedding(
            vocab,
            size,
            embeddings_initializer="zeros",
            dtype=policy,
            name="frozen",
            trainable=False,
        )

    def build(self, tokens_shape: Shape) -> None:
        """Makes both tables, with the same vectors."""
        self.tuned.build(tokens_shape)
        self.frozen.build(tokens_shape)
        self.frozen.embeddings.assign(self.tuned.embeddings)

    def assign(self, table: Any) -> None:
        """Gives both tables the same vectors.

        Args:
            table: `(vocab, size)`.
        """
        if not self.built:
            self.build((None, None))
        for channel in (self.tuned, self.frozen):
            channel.embeddings.assign(table)

    def call(self, tokens: Tensor) -> Tensor:
        """Looks up; see the class for the arguments."""
        return ops.concatenate([self.tuned(tokens), self.frozen(tokens)], axis=-1)

    def compute_mask(self, tokens: Tensor, mask: Tensor = None) -> Tensor:
        """True where a token is no padding."""
        del mask
        return ops.not_equal(tokens, 0) if self.mask_zero else None

    def compute_output_shape(self, tokens_shape: Shape) -> Shape:
        """That of the tokens, and the features of both channels."""
        return (*tokens_shape, 2 * self.size)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "vocab": self.vocab,
            "size": self.size,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
            "mask_zero": self.mask_zero,
        }
