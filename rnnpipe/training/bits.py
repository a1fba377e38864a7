"""How many bits a model spends on a token."""

import math
from typing import Any

import keras
from keras import ops

from rnnpipe.training.token_targets import Perplexity


@keras.saving.register_keras_serializable("rnnpipe")
class BitsPerToken(Perplexity):
    """The cross-entropy of tokens in bits: of characters, what a text of them compresses to.

        bits = −Σₜ log₂ p(yₜ) / Σₜ 1     over all tokens but padding

    Args:
        **kwargs: `name`, `dtype`, as for every Keras metric.

    Example:
        >>> import numpy
        >>> metric = BitsPerToken()
        >>> metric.update_state(numpy.array([[1, 2, 0]]), numpy.zeros((1, 3, 8)))
        >>> round(float(metric.result()), 4)
        3.0
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "bits_per_token", **kwargs})

    def result(self) -> Any:
        """The bits per token of all batches since `reset_state`."""
        return ops.log(super().result()) / math.log(2)
