"""The loss and the perplexity of sequences of tokens; padding has no part in either.

Targets are token ids `(batch, time)`, padded with `PAD`; logits are `(batch, time, vocab)`.
"""

from typing import Any

import keras
from keras import ops

from rnnpipe.errors import UserError
from rnnpipe.text.tokens import PAD
from rnnpipe.training.log_likelihood import log_likelihood


@keras.saving.register_keras_serializable("rnnpipe")
class TokenCrossEntropy(keras.losses.Loss):
    """The mean negative log-likelihood of a batch's tokens, with smoothed targets.

        loss = −Σₜ [(1 − ε) log p(yₜ) + ε/V Σᵥ log p(v)] / Σₜ 1     over all tokens t but padding

    Every token counts the same, in whatever sentence and however much padding there is.

    Args:
        smoothing: ε, the share of the probability that is spread over all V tokens.
        **kwargs: `name`, `dtype`, as for every Keras loss.

    Call arguments:
        targets: `(batch, time)` ids.
        logits: `(batch, time, vocab)`.

    Returns:
        A single number, in nats per token.

    Raises:
        UserError: if the smoothing is not within [0, 1).

    Example:
        >>> import numpy
        >>> loss = TokenCrossEntropy()(numpy.array([[1, 2, 0]]), numpy.zeros((1, 3, 10)))
        >>> round(float(loss), 4), round(numpy.log(10), 4).item()
        (2.3026, 2.3026)

    Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, section
    7; for translation: Vaswani et al., Attention Is All You Need, 2017, section 5.4.
    """

    def __init__(self, smoothing: float = 0.0, **kwargs: Any) -> None:
        # The sum over tokens that are already divided by their number.
        super().__init__(**{"name": "token_cross_entropy", **kwargs, "reduction": "sum"})
        if not 0 <= smoothing < 1:
            fix = "write e.g. 0.1"
            raise UserError("smoothing", "a share from 0 to below 1", str(smoothing), fix)
        self.smoothing = smoothing

    def call(self, targets: Any, logits: Any) -> Any:
        """What each token adds to the loss, `(batch, time)`."""
        of_target, mean = log_likelihood(targets, logits)
        losses = -(1 - self.smoothing) * of_target - self.smoothing * mean
        counts = _counts(targets, losses.dtype)
        return losses * counts / ops.maximum(ops.sum(counts), 1.0)

    def count(self, targets: Any) -> Any:
        """The number of tokens that the loss of a batch is the mean of."""
        return ops.sum(_counts(targets, "float32"))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "smoothing": self.smoothing}


@keras.saving.register_keras_serializable("rnnpipe")
class Perplexity(keras.metrics.Metric):
    """The perplexity of tokens: how many a model wavers between, on average.

        perplexity = exp(−Σₜ log p(yₜ) / Σₜ 1)     over all tokens but padding

    Args:
        **kwargs: `name`, `dtype`, as for every Keras metric.

    Example:
        >>> import numpy
        >>> metric = Perplexity()
        >>> metric.update_state(numpy.array([[1, 2, 0]]), numpy.zeros((1, 3, 10)))
        >>> round(float(metric.result()), 4)
        10.0
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "perplexity", **kwargs})
        self.total = self.add_weight((), "zeros", name="total")
        self.count = self.add_weight((), "zeros", name="count")

    def update_state(self, targets: Any, logits: Any, sample_weight: Any = None) -> None:
        """Adds a batch; weights of whole sentences are no part of a perplexity."""
        del sample_weight
        # As Keras does for losses: half precision is too coarse for a sum over the vocabulary.
        losses = -log_likelihood(targets, ops.cast(logits, self.dtype), watch=True)[0]
        counts = _counts(targets, losses.dtype)
        self.total.assign_add(ops.cast(ops.sum(losses * counts), self.dtype))
        self.count.assign_add(ops.cast(ops.sum(counts), self.dtype))

    def result(self) -> Any:
        """The perplexity of all batches since `reset_state`."""
        return ops.exp(self.total / ops.maximum(self.count, 1.0))


def _counts(targets: Any, dtype: Any) -> Any:
    return ops.cast(ops.not_equal(targets, PAD), dtype)
