"""R-Drop: a consistency loss between two forward passes with different dropout."""

from typing import Any

import keras
from keras import ops

from rnnpipe.training.trainer import Trainer


@keras.saving.register_keras_serializable("rnnpipe")
class RDropTrainer(Trainer):
    """A classifier trained with R-Drop: two passes with different dropout have to agree.

        loss = ½ (L₁ + L₂) + α/4 [KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁)]

    where Lᵢ is the compiled loss of the i-th half of a batch, and pᵢ are the probabilities there:
    half of what the paper minimises. Both halves of a training batch must hold the same examples
    (see `repeat_batch`); for other batches the loss is the compiled one.

    Args:
        model: from inputs to logits `(batch, classes)`.
        weight: α; the paper takes 1 to 5.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: those of the model.

    Returns:
        The model's logits.

    Example:
        >>> import numpy
        >>> tokens = keras.Input((4,))
        >>> hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(8, "relu")(tokens))
        >>> trainer = RDropTrainer(keras.Model(tokens, keras.layers.Dense(3)(hidden)), weight=1.0)
        >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> trainer.compile(optimizer="adam", loss=loss)
        >>> x, y = numpy.ones((2, 4)), numpy.array([0, 2])
        >>> found = trainer.train_on_batch(numpy.tile(x, (2, 1)), numpy.tile(y, 2))

    Source: Liang et al., R-Drop: Regularized Dropout for Neural Networks, 2021, section 2.2.
    """

    def __init__(self, model: keras.Model, *, weight: float, **kwargs: Any) -> None:
        super().__init__(model, **kwargs)
        self.weight = weight

    def total_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: Any) -> Any:
        """The loss; see the class for the equation."""
        loss = super().total_loss(x, y, y_pred, sample_weight, training)
        return loss + self.weight / 4 * symmetric_kl(y_pred) if training else loss

    def count_rows(self, y: Any) -> Any:
        """The examples, each of which is there twice."""
        return super().count_rows(y) // 2

    def take_part(self, x: Any, y: Any, begin: Any, end: Any) -> tuple[Any, Any]:
        """Both of each example."""
        rows = self.count_rows(y)
        first = super().take_part(x, y, begin, end)
        second = super().take_part(x, y, rows + begin, rows + end)
        x, y = keras.tree.map_structure(lambda *pair: ops.concatenate(pair), first, second)
        return x, y

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "weight": self.weight}


def repeat_batch(values: Any) -> Any:
    """A batch with all of its examples once more behind them; any structure of tensors."""
    return keras.tree.map_structure(lambda value: ops.concatenate([value, value]), values)


def symmetric_kl(logits: Any) -> Any:
    """KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁) in nats, the mean over the examples that a batch holds twice.

    Args:
        logits: `(2 batch, classes)`.
    """
    first, second = ops.split(ops.log_softmax(logits), 2)
    return ops.mean(ops.sum((ops.exp(first) - ops.exp(second)) * (first - second), axis=-1))
