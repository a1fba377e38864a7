"""The loss and the score of answers on which people disagree.

Targets are soft: the share of the people who gave each answer, `(batch, answers)`.
"""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnpipe")
def soft_cross_entropy(targets: Any, logits: Any) -> Any:
    """The mean negative log-likelihood of the answers that people gave.

        loss = -sum_a target_a · log softmax(logits)_a

    Answers that the model does not know have no term: the targets of a record may sum to less
    than one, and a record whose answers are all unknown has no loss and no gradient.

    Args:
        targets: `(batch, answers)`.
        logits: `(batch, answers)`.

    Returns:
        The loss of each record, `(batch,)`, in nats.

    Source: Kazemi & Elqursh 2017, section 3, equation 6.
    """
    return -ops.sum(targets * ops.log_softmax(logits, axis=-1), axis=-1)


@keras.saving.register_keras_serializable("rnnpipe")
def soft_vqa_accuracy(targets: Any, logits: Any) -> Any:
    """The VQA accuracy of the likeliest answer, from soft targets.

    An answer that n of ten people gave scores min(0.3 n, 1), so a share w scores min(3 w, 1). It
    is the official accuracy but for the official code's quirk with ten identical answers, and for
    questions with fewer than ten.

    Args:
        targets: `(batch, answers)`.
        logits: `(batch, answers)`.

    Returns:
        The accuracy of each record, `(batch,)`, a fraction.
    """
    likeliest = ops.argmax(logits, axis=-1)
    share = ops.take_along_axis(targets, likeliest[:, None], axis=-1)[:, 0]
    return ops.minimum(3.0 * share, 1.0)
