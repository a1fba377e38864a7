"""An optimizer that trains groups of layers at rates of their own, and leaves some as they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras

from rnnpipe.types import Tensor


@dataclass(frozen=True, slots=True)
class LayerGroups:
    """Groups of a model's variables, the lowest first.

    Args:
        factors: what the learning rate is multiplied by for each group.
        find: the number of the group of a variable.
    """

    factors: Sequence[float]
    find: Callable[[Any], int]


class LayerGroupOptimizer(keras.optimizers.Optimizer):
    """Optimizers side by side, one for each group of layers, under one schedule.

        rate_g(t) = factor_g · rate(t)

    Each group has an optimizer with moments and a count of steps of its own, so that its steps are
    those of a separate optimizer with that rate, weight decay included. Gradients are clipped by
    the norm of all groups that are trained together, before they are divided among the optimizers.
    A frozen group's weights stay as they are: they have neither steps nor decay, their gradients
    count in no norm, and where a step is a graph they are not computed. Whoever freezes groups or
    unfreezes them must have the step traced anew, as `Unfreezing` does.

    Args:
        make: an optimizer of a learning rate, without clipping and running means.
        groups: the groups.
        **options: the arguments of `keras.optimizers.Optimizer`, e.g. `learning_rate`.

    Example:
        >>> kernel, bias = keras.Variable([1.0]), keras.Variable([1.0])
        >>> groups = LayerGroups([0.1, 1.0], lambda variable: int(variable is bias))
        >>> optimizer = LayerGroupOptimizer(keras.optimizers.SGD, groups, learning_rate=0.5)
        >>> optimizer.apply([keras.ops.ones(1), keras.ops.ones(1)], [kernel, bias])
        >>> round(float(kernel[0]), 4), round(float(bias[0]), 4)
        (0.95, 0.5)

    Source: Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, 2018,
    section 3.2, discriminative fine-tuning.
    """

    def __init__(
        self,
        make: Callable[[Any], keras.optimizers.Optimizer],
        groups: LayerGroups,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._parts = [make(partial(self._scale_rate, factor)) for factor in groups.factors]
        self._find = groups.find
        self.frozen: frozenset[int] = frozenset()

    def _scale_rate(self, factor: float) -> Tensor:
        return factor * self.learning_rate

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the variables of all groups' optimizers."""
        if self.built:
            return
        super().build(variables)
        for number, part in enumerate(self._parts):
            own = [variable for variable in variables if self._find(variable) == number]
            if own:
                part.build(own)

    @property
    def variables(self) -> list[Any]:
        """Its own, and those of the groups' optimizers."""
        return [*super().variables, *(each for part in self._parts for each in part.variables)]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Takes a step with the gradients of the groups that are not frozen."""
        variables = (
            self._trainable_variables if trainable_variables is None else trainable_variables
        )
        pairs = list(zip(grads, variables, strict=True))
        if not self.built:
            self.build([variable for _, variable in pairs])
        trained = [pair for pair in pairs if self._find(pair[1]) not in self.frozen]
        super().apply([gradient for gradient, _ in trained], [variable for _, variable in trained])

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        # What Keras has its backends override: after clipping, and after gradients are accumulated.
        del learning_rate
        for number, part in enumerate(self._parts):
            pairs = zip(grads, trainable_variables, strict=True)
            own = [pair for pair in pairs if self._find(pair[1]) == number]
            if own:
                part.apply([gradient for gradient, _ in own], [variable for _, variable in own])

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        # The running mean of a weight that stays is that weight, to the last bit.
        super()._update_model_variables_moving_average(trainable_variables)
        averages = self._model_variables_moving_average if self.use_ema else []
        for variable, average in zip(trainable_variables, averages, strict=False):
            if self._find(variable) in self.frozen:
                average.assign(variable)

    def get_config(self) -> dict[str, Any]:
        """Refused: the groups are of variables, which have no config."""
        raise NotImplementedError("save the model without its optimizer")
