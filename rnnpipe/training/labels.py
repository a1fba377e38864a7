"""Loss and accuracy of labels, of which some are not known.

Labels are numbers of any shape, -1 where there is none; logits have one more axis, the classes.
"""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnpipe")
class LabelCrossEntropy(keras.losses.Loss):
    """The mean negative log-likelihood of a batch's known labels.

        loss = −Σᵢ log p(yᵢ) / Σᵢ 1     over all i whose label yᵢ is known

    Every known label counts the same, in whatever clip; a batch without any has a loss of 0.

    Args:
        **kwargs: `name`, `dtype`, as for every Keras loss.

    Example:
        >>> import numpy
        >>> loss = LabelCrossEntropy()(numpy.array([[1, 2, -1]]), numpy.zeros((1, 3, 10)))
        >>> round(float(loss), 4), round(numpy.log(10), 4).item()
        (2.3026, 2.3026)
    """

    def __init__(self, **kwargs: Any) -> None:
        # The sum over labels that are already divided by their number.
        super().__init__(**{"name": "label_cross_entropy", **kwargs, "reduction": "sum"})

    def call(self, labels: Any, logits: Any) -> Any:
        """What each label adds to the loss."""
        known = ops.cast(labels >= 0, logits.dtype)
        losses = ops.sparse_categorical_crossentropy(
            ops.maximum(labels, 0), logits, from_logits=True
        )
        return losses * known / ops.maximum(ops.sum(known), 1.0)

    def count(self, labels: Any) -> Any:
        """The number of known labels that the loss of a batch is the mean of."""
        return ops.sum(ops.cast(labels >= 0, "float32"))


@keras.saving.register_keras_serializable("rnnpipe")
class LabelAccuracy(keras.metrics.Metric):
    """The share of the known labels that are the likeliest ones.

    Args:
        **kwargs: `name`, `dtype`, as for every Keras metric.

    Example:
        >>> import numpy
        >>> metric = LabelAccuracy()
        >>> metric.update_state(numpy.array([0, 1, -1]), numpy.array([[2.0, 1.0]] * 3))
        >>> float(metric.result())
        0.5
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"name": "label_accuracy", **kwargs})
        self.right = self.add_weight((), "zeros", name="right")
        self.count = self.add_weight((), "zeros", name="count")

    def update_state(self, labels: Any, logits: Any, sample_weight: Any = None) -> None:
        """Adds a batch; all known labels count the same."""
        del sample_weight
        given = ops.cast(ops.argmax(logits, axis=-1), labels.dtype)
        right = ops.sum(ops.cast(given == labels, self.dtype))
        self.right.assign_add(right)
        self.count.assign_add(ops.sum(ops.cast(labels >= 0, self.dtype)))

    def result(self) -> Any:
        """The share over all batches since `reset_state`."""
        return self.right / ops.maximum(self.count, 1.0)
