"""The loss of texts that are aligned with sound by nobody."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.ctc_loss import ctc_loss
from rnnpipe.text.tokens import PAD

_IMPOSSIBLE = -1e8  # at steps of padding all logits but the blank's are below


@keras.saving.register_keras_serializable("rnnpipe")
class MeanCTCLoss(keras.losses.Loss):
    """The mean negative log-likelihood of a batch's tokens by CTC, whose blank is `PAD`.

        loss = −Σᵢ log p(yᵢ | xᵢ) / Σᵢ |yᵢ|     p(y | x) = Σ over all paths of y of Πₜ p(πₜ | x)

    Every token counts the same, as in `TokenCrossEntropy`. A text that has no path, because it
    needs more steps than there are, adds nothing.

    Args:
        **kwargs: `name`, `dtype`, as for every Keras loss.

    Call arguments:
        tokens: `(batch, tokens)` ids, padded behind with `PAD`.
        logits: `(batch, steps, vocab)`; at steps of padding the blank is certain.

    Returns:
        A single number, in nats per token.

    Example:
        >>> import numpy
        >>> loss = MeanCTCLoss()(numpy.array([[1]]), numpy.zeros((1, 2, 3)))
        >>> round(float(loss), 4), round(-numpy.log(3 / 9).item(), 4)
        (1.0986, 1.0986)

    Source: Graves et al., Connectionist Temporal Classification, 2006.
    """

    def __init__(self, **kwargs: Any) -> None:
        # The sum over recordings that are already divided by the number of tokens.
        super().__init__(**{"name": "mean_ctc_loss", **kwargs, "reduction": "sum"})

    def call(self, tokens: Any, logits: Any) -> Any:
        """What each recording adds to the loss, `(batch,)`."""
        # Keras makes targets floats.
        tokens = ops.cast(tokens, "int32")
        lengths = ops.sum(ops.cast(ops.not_equal(tokens, PAD), "int32"), axis=1)
        is_sound = ops.max(logits[:, :, PAD + 1 :], axis=-1) > _IMPOSSIBLE
        steps = ops.sum(ops.cast(is_sound, "int32"), axis=1)
        losses = ctc_loss(tokens, logits, lengths, steps).losses
        return losses / ops.cast(ops.maximum(ops.sum(lengths), 1), losses.dtype)

    def count(self, tokens: Any) -> Any:
        """The number of tokens that the loss of a batch is the mean of."""
        return ops.sum(ops.cast(ops.not_equal(tokens, PAD), "float32"))
