"""Embeddings of tokens."""

from typing import TYPE_CHECKING

from rnnpipe.settings import Settings, fraction, setting

if TYPE_CHECKING:
    import keras


class EmbeddingOptions(Settings):
    """The vectors that tokens become.

    Example:
        >>> EmbeddingOptions(size=8).make(20).output_dim
        8
    """

    size: int = setting(256, "features of each vector", ge=1)
    scale: float | None = setting(
        None, "their standard deviation before training; null: 1 / √size", gt=0
    )
    dropout: float = fraction(help="of the vectors' features, in training")
    word_dropout: float = fraction(help="share of the tokens hidden in training")

    def make(self, vocab: int, *, name: str = "embedding") -> "keras.layers.Embedding":
        """The layer, which masks padding.

        Args:
            vocab: number of tokens.
            name: of the layer.
        """
        import keras

        start = self.make_initializer()
        return keras.layers.Embedding(
            vocab, self.size, mask_zero=True, embeddings_initializer=start, name=name
        )

    def make_initializer(self) -> "keras.initializers.Initializer":
        """What draws the vectors before training."""
        import keras

        # By default the vectors are about as long as states, which weigh as much in a cell.
        scale = self.size**-0.5 if self.scale is None else self.scale
        return keras.initializers.RandomNormal(stddev=scale)
