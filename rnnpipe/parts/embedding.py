"""Embeddings of tokens."""

from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.text.tokens import UNKNOWN
from rnnpipe.text.word_vectors import WordVectors

if TYPE_CHECKING:
    import keras
    import numpy as np

    from rnnpipe.layers import TwoChannelEmbedding

    Array = np.ndarray[Any, np.dtype[Any]]


class EmbeddingOptions(Settings):
    """The vectors that tokens become.

    Example:
        >>> EmbeddingOptions(size=8).make(20).output_dim
        8
    """

    size: int = setting(256, "features of each vector; of word vectors as many as they have", ge=1)
    scale: float | None = setting(
        None, "their standard deviation before training; null: 1 / √size", gt=0
    )
    dropout: float = fraction(help="of the vectors' features, in training")
    word_dropout: float = fraction(help="share of the tokens hidden in training")
    vectors: Literal["tuned", "frozen", "both"] = setting(
        "tuned",
        "what training does with the word vectors that the data has: it changes them, leaves them "
        "as they are, or both, side by side (Kim 2014)",
    )

    def make(
        self, vocab: int, word_vectors: WordVectors | None = None, *, name: str = "embedding"
    ) -> "keras.layers.Embedding | TwoChannelEmbedding":
        """The layer, which masks padding.

        Tokens without a vector of their own begin with random ones of the same deviation, and the
        unknown token with the mean of all.

        Args:
            vocab: number of tokens.
            word_vectors: those that tokens have from elsewhere; None: all begin with random ones.
            name: of the layer.

        Raises:
            UserError: the vectors are not of this size.
        """
        import keras

        if word_vectors is None:
            start = self.make_initializer()
            return keras.layers.Embedding(
                vocab, self.size, mask_zero=True, embeddings_initializer=start, name=name
            )
        self.check_vectors(word_vectors.size)
        if self.vectors == "both":
            return self._make_two_channels(vocab, word_vectors, name)
        layer = keras.layers.Embedding(
            vocab,
            self.size,
            mask_zero=True,
            embeddings_initializer=_like(word_vectors),
            trainable=self.vectors == "tuned",
            name=name,
        )
        layer.build((None, None))
        layer.embeddings.assign(_fill(layer.embeddings, word_vectors))
        return layer

    def make_initializer(self) -> "keras.initializers.Initializer":
        """What draws the vectors before training."""
        import keras

        # By default the vectors are about as long as states, which weigh as much in a cell.
        scale = self.size**-0.5 if self.scale is None else self.scale
        return keras.initializers.RandomNormal(stddev=scale)

    def check_vectors(self, size: int) -> None:
        """Checks that word vectors fit.

        Args:
            size: how many features they have.

        Raises:
            UserError: it is another one; `where` is `size`.
        """
        if size != self.size:
            expected = f"{size}, the features of the word vectors"
            raise UserError("size", expected, str(self.size), f"write {size}")

    def _make_two_channels(
        self, vocab: int, vectors: WordVectors, name: str
    ) -> "TwoChannelEmbedding":
        from rnnpipe.layers import TwoChannelEmbedding

        start = _like(vectors)
        layer = TwoChannelEmbedding(vocab, self.size, embeddings_initializer=start, name=name)
        layer.build((None, None))
        layer.assign(_fill(layer.tuned.embeddings, vectors))
        return layer


def _like(vectors: WordVectors) -> "keras.initializers.Initializer":
    """Draws vectors of the same deviation."""
    import keras

    return keras.initializers.RandomNormal(stddev=max(float(vectors.vectors.std()), 1e-6))


def _fill(drawn: Any, vectors: WordVectors) -> "Array":
    """The table that was drawn, with the vectors of those tokens that have some."""
    import keras
    import numpy as np

    table = np.array(keras.ops.convert_to_numpy(drawn))
    table[UNKNOWN] = vectors.vectors.mean(axis=0)
    table[vectors.ids] = vectors.vectors
    return table
