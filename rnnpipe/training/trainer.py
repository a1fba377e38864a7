"""A model as it is trained, which reports the means of its losses whatever the batches."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras
import tensorflow as tf
from keras import ops

from rnnpipe.training.devices import sum_over_devices
from rnnpipe.training.micro_batches import sum_over_parts, take_rows
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
        counts = list(self.counts(targets).values())
        by_output = self.by_output(targets, outputs)
        values = [loss] if by_output is None else list(by_output.values())
        losses = ops.stack([ops.cast(value, self.dtype) for value in values])
        padding = [0, self.count.shape[0] - len(counts)]
        self.total.assign_add(ops.pad(losses * ops.stack(counts), padding))
        self.count.assign_add(ops.pad(ops.stack(counts), padding))

    def counts(self, targets: Any) -> dict[str, Any]:
        """How many terms the loss of each output is the mean of, by name; '' is the only output."""
        counts = {}
        for name, function in self._losses.items():
            of_output = targets[name] if isinstance(targets, Mapping) else targets
            count = getattr(function, "count", lambda targets: ops.shape(targets)[0])
            counts[name] = ops.cast(count(of_output), self.dtype)
        return counts

    def by_output(self, targets: Any, outputs: Any) -> dict[str, Any] | None:
        """The loss of each output of a batch; None if there is one output."""
        if len(self._losses) < 2:
            return None
        losses = self._losses.items()
        return {name: function(targets[name], outputs[name]) for name, function in losses}

    def weigh(self, by_output: Mapping[str, Any]) -> Any:
        """The sum of the outputs' losses, each times its weight."""
        return sum(self._shares[name] * loss for name, loss in by_output.items())

    def result(self) -> dict[str, Any]:
        """The mean as `loss`; of several outputs also `<output>_loss`, of which it is the sum."""
        means = ops.unstack(self.total / ops.maximum(self.count, 1.0), num=self.count.shape[0])
        if len(self._losses) < 2:
            return {"loss": means[0]} if self._losses else {}
        by_output = dict(zip(self._losses, means, strict=False))
        return {
            "loss": self.weigh(by_output),
            **{f"{name}_loss": mean for name, mean in by_output.items()},
        }


@keras.saving.register_keras_serializable("rnnpipe")
class Trainer(keras.Model):
    """A model as it is trained: its weights are the model's, and its losses are exact means.

    A subclass adds to the loss in `total_loss`. Where `micro_batches` is more than 1, a batch is
    computed in so many parts, one after the other; where there are `devices`, each part, or the
    batch, is divided between them, at the same time. The step is that of the whole batch:

        ∇L = Σₖ Σₜ nₖₜ / nₜ ∇Lₖₜ

    where Lₖₜ is a term of the loss of part k, a mean over nₖₜ of the nₜ tokens, labels or rows of
    the batch.

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
        self.micro_batches = 1
        self.devices: Sequence[str] = ()
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
        if self._divides:
            kwargs["jit_compile"] = False  # rows of a part are no constants, which XLA needs
        super().compile(optimizer, loss, loss_weights, **kwargs)
        # Keras' own metrics come before these, whose results take the place of theirs.
        if loss is not None:
            self.loss_means.follow(loss, loss_weights)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a saved trainer as it was."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def _divides(self) -> bool:
        """Whether batches are computed in parts."""
        return self.micro_batches > 1 or bool(self.devices)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Takes a step with a batch, or with all of its parts."""
        if not self._divides:
            logs: dict[str, Any] = super().train_step(data)
            return logs
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        totals, variables = self.term_counts(x, y), self.trainable_variables

        def gradients_of(begin: Any, end: Any) -> list[Any]:
            return self._part_gradients(*self.take_part(x, y, begin, end), totals)

        def on_devices(begin: Any, end: Any) -> list[Any]:
            if not self.devices:
                return gradients_of(begin, end)
            return sum_over_devices(gradients_of, begin, end, self.devices)

        gradients = sum_over_parts(on_devices, variables, self.count_rows(y), self.micro_batches)
        self.optimizer.apply(gradients, variables)
        results: dict[str, Any] = self.get_metrics_result()
        return results

    def _part_gradients(self, x: Any, y: Any, totals: Mapping[str, Any]) -> list[Any]:
        """What a part adds to the gradients of a batch whose terms have so many counts."""
        counts = self.term_counts(x, y)
        shares = {name: count / ops.maximum(totals[name], 1.0) for name, count in counts.items()}
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.part_loss(x, y, y_pred, shares)
            scaled = self.optimizer.scale_loss(loss)
        # Its mean over the terms of the first output, as that is what means are made of.
        mean = tf.math.divide_no_nan(loss, next(iter(shares.values())))
        self.loss_means.update_state(mean, y, y_pred)
        self.compute_metrics(x, y, y_pred)
        gradients: list[Any] = tape.gradient(scaled, self.trainable_variables)
        return gradients

    def count_rows(self, y: Any) -> Any:
        """How many rows of a batch may be divided into parts."""
        return tf.shape(keras.tree.flatten(y)[0])[0]

    def take_part(self, x: Any, y: Any, begin: Any, end: Any) -> tuple[Any, Any]:
        """Inputs and targets of the rows from `begin` to before `end`."""
        return take_rows(x, begin, end), take_rows(y, begin, end)

    def term_counts(self, x: Any, y: Any) -> dict[str, Any]:
        """Of how many each term of the loss of a batch is the mean, by the term's name."""
        del x
        return self.loss_means.counts(y)

    def part_loss(self, x: Any, y: Any, y_pred: Any, shares: Mapping[str, Any]) -> Any:
        """What a part of a batch adds to the loss, see the class for the equation.

        Args:
            x: inputs.
            y: targets.
            y_pred: what `call` returned.
            shares: nₖₜ / nₜ by the term's name.
        """
        by_output = self.loss_means.by_output(y, y_pred)
        first = next(iter(shares.values()))
        if by_output is None:
            return first * self.total_loss(x, y, y_pred, None, True)
        weighed = self.loss_means.weigh({n: shares[n] * loss for n, loss in by_output.items()})
        return weighed + first * sum(self.losses)

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
