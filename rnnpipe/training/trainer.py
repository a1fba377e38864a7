"""A model as it is trained, which reports the means of its losses whatever the batches."""

from collections.abc import Mapping
from typing import Any, Self

import keras
from keras import ops

from rnnpipe.training.precision import as_float32


class LossMeans(keras.metrics.Metric):
    """The means of losses over all terms of all batches.

        mean = Σ_b n_b L_b / Σ_b n_b     where L_b is a batch's loss, a mean of n_b terms

    Keras weighs batches by the length of the first input. A loss that is a mean over tokens or over
    known labels would depend on how they are divided into batches, and so would one of records that
    share images.

    Args:
        most: of how many outputs there may be a loss.
    """

    def __init__(self, most: int) -> None:
        super().__init__(name="loss_means")
        self._losses: dict[str, Any] = {}
        self._shares: dict[str, float] = {}
        self.total = self.add_weight((most,), "zeros", name="total")
        self.count = self.add_weight((most,), "zeros", name="count")

    def follow(self, losses: Any, weights: Mapping[str, float] | None = None) -> None:
        """Sets the losses.

        Args:
            losses: the loss, or that of each output. One with a method `count` of the targets
                says by it what n is; else n is the number of rows.
            weights: of the outputs' losses in their sum; by default 1.
        """
        self._losses = dict(losses) if isinstance(losses, Mapping) else {"": losses}
        self._shares = {name: (weights or {}).get(name, 1.0) for name in self._losses}

    def update_state(self, loss: Any, targets: Any, outputs: Any) -> None:
        """Adds a batch.

        Args:
            loss: that of the whole batch, which counts where there is one output.
            targets: those of the batch; by output where there are several.
            outputs: those of the model, likewise.
        """
        several = len(self._losses) > 1
        counts, values = [], []
        for name, function in self._losses.items():
            of_output = targets[name] if isinstance(targets, Mapping) else targets
            count = getattr(function, "count", lambda targets: ops.shape(targets)[0])
            counts.append(ops.cast(count(of_output), self.dtype))
            values.append(function(of_output, outputs[name]) if several else loss)
        losses = ops.stack([ops.cast(value, self.dtype) for value in values])
        padding = [0, self.count.shape[0] - len(counts)]
        self.total.assign_add(ops.pad(losses * ops.stack(counts), padding))
        self.count.assign_add(ops.pad(ops.stack(counts), padding))

    def result(self) -> dict[str, Any]:
        """The mean as `loss`; of several outputs also `<output>_loss`, of which it is the sum."""
        means = ops.unstack(self.total / ops.maximum(self.count, 1.0), num=self.count.shape[0])
        if len(self._losses) < 2:
            return {"loss": means[0]} if self._losses else {}
        by_output = dict(zip(self._losses, means, strict=False))
        total = sum(self._shares[name] * mean for name, mean in by_output.items())
        return {"loss": total, **{f"{name}_loss": mean for name, mean in by_output.items()}}


@keras.saving.register_keras_serializable("rnnpipe")
class Trainer(keras.Model):
    """A model as it is trained: its weights are the model's, and its losses are exact means.

    A subclass adds to the loss in `total_loss`.

    Args:
        model: the model.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: those of the model.

    Returns:
        What the model returns.
    """

    def __init__(self, model: keras.Model, **kwargs: Any) -> None:
        super().__init__(**{"name": model.name, **kwargs})
        self.model = model
        several = model.output if isinstance(model.output, Mapping) else ""
        self.loss_means = LossMeans(max(len(several), 1))

    def build(self, input_shape: Any = None) -> None:
        """Nothing: the model has its weights."""
        del input_shape
        self.built = True

    def call(self, inputs: Any, training: Any = False) -> Any:
        """The outputs of the model, of which losses are computed in float32."""
        return as_float32(self.model(inputs, training=training))

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, loss_weights: Any = None, **kwargs: Any
    ) -> None:
        """See `keras.Model.compile`; losses are functions and objects, no names."""
        super().compile(optimizer, loss, loss_weights, **kwargs)
        # Keras' own metrics come before these, whose results take the place of theirs.
        if loss is not None:
            self.loss_means.follow(loss, loss_weights)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a saved trainer as it was."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: Any = True,
    ) -> Any:
        """The loss; see `total_loss`."""
        loss = self.total_loss(x, y, y_pred, sample_weight, training)
        self.loss_means.update_state(loss, y, y_pred)
        return loss

    def total_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: Any) -> Any:
        """The compiled loss of a batch, with what a subclass adds.

        Args:
            x: inputs.
            y: targets.
            y_pred: what `call` returned.
            sample_weight: as Keras has it.
            training: whether the batch is learned from.
        """
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "model": keras.saving.serialize_keras_object(self.model)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Creates a trainer from its config."""
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**{**config, "model": model})
