"""Word dropout."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.errors import is_number, layer_error
from rnnpipe.types import Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class WordDropout(keras.layers.Layer):
    """Replaces tokens by the unknown token in training, each with the same probability.

    A model then relies on no single word, and the embedding of the unknown token, which replaces
    words of new texts, is trained.

    Args:
        rate: the probability that a token is replaced.
        unknown: the id that takes its place.
        padding: the id that always stays.
        seed: of the random choice.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        tokens: ids, `(batch, time)` or any other shape.
        training: whether tokens are replaced.

    Returns:
        Ids of the same shape and type.

    Raises:
        UserError: if the rate is not within [0, 1).

    Example:
        >>> import numpy
        >>> tokens = numpy.array([[7, 8, 9, 0]])
        >>> numpy.asarray(WordDropout(0.5, seed=1)(tokens, training=False)).tolist()
        [[7, 8, 9, 0]]

    Source: Iyyer et al., Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification, 2015, section 3.1, which leaves the words out; in their place: Bowman et al.,
    Generating Sentences from a Continuous Space, 2016, section 3.1.
    """

    def __init__(
        self,
        rate: float,
        *,
        unknown: int = 1,
        padding: int = 0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not is_number(rate) or not 0 <= rate < 1:
            raise layer_error(self, "a rate from 0 to below 1", str(rate), "write e.g. rate=0.1")
        self.rate, self.unknown, self.padding, self.seed = rate, unknown, padding, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, tokens: Tensor, training: bool = False) -> Tensor:
        """Replaces; see the class for the arguments."""
        if not training or not self.rate:
            return tokens
        hidden = keras.random.uniform(ops.shape(tokens), dtype="float32", seed=self.generator)
        hidden = hidden < self.rate
        hidden = ops.logical_and(hidden, tokens != self.padding)
        return ops.where(hidden, ops.full_like(tokens, self.unknown), tokens)

    def compute_output_shape(self, tokens_shape: Shape) -> Shape:
        """The shape of the tokens."""
        return tokens_shape

    def compute_output_spec(self, tokens: Tensor, training: bool = False) -> Tensor:
        """The shape and type of the tokens."""
        del training
        return keras.KerasTensor(tokens.shape, tokens.dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "unknown": self.unknown,
            "padding": self.padding,
            "seed": self.seed,
        }
