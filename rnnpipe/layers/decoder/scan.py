"""A step function over all of a sequence, on every backend."""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras

from rnnpipe.types import Nested, Tensor

Step: TypeAlias = Callable[[Tensor, Any], tuple[Nested[Tensor], Any]]
"""From inputs `(batch, features)` and a state to nested outputs `(batch, ...)` and a state."""


class _StepCell:
    """A step function as a cell, which is what Keras runs over time."""

    state_size = 1

    def __init__(self, step: Step) -> None:
        self.step = step

    def call(self, inputs: Tensor, state: Any) -> tuple[Nested[Tensor], Any]:
        """One step."""
        return self.step(inputs, state)

    __call__ = call


def scan(
    step: Step, inputs: Tensor, state: Any, random_layer: keras.layers.Layer | None = None
) -> Nested[Tensor]:
    """Runs a step over a sequence and returns all outputs, nested, each `(batch, time, ...)`.

    Args:
        step: the step function.
        inputs: `(batch, time, features)`.
        state: a tuple, the first state; the step gets tuples of the same nesting.
        random_layer: the layer that draws random numbers in the step, if one does.
    """
    seeds = [] if random_layer is None else _seeds(random_layer)
    if seeds:
        step = _carry_seeds(step, seeds)
        state = (state, tuple(seed.value for seed in seeds))
    loop = keras.layers.RNN(_StepCell(step), return_sequences=True)
    _, outputs, state = loop.inner_loop(inputs, state, None)
    for seed, value in zip(seeds, state[1] if seeds else (), strict=True):
        seed.assign(value)
    return outputs


class _InnerScope(keras.StatelessScope):
    """A scope for some variables, inside of which all others have the values of the outer scope.

    While Keras fits a model on JAX, its outer scope alone holds the values of the weights.
    """

    def get_current_value(self, variable: Any) -> Any:
        """The value of a variable in this scope or the one around it, or None in neither."""
        value, outer = super().get_current_value(variable), self.original_scope
        if value is None and outer is not None:
            return outer.get_current_value(variable)
        return value


def _seeds(layer: keras.layers.Layer) -> list[Any]:
    """The variables of a layer that hold the states of its random generators."""
    weights = {id(weight) for weight in layer.weights}
    return [variable for variable in layer.variables if id(variable) not in weights]


def _carry_seeds(step: Step, seeds: list[Any]) -> Step:
    """The step with the seeds in its state: no compiled loop on JAX may change a variable."""

    def step_with_seeds(inputs: Tensor, carry: Any) -> tuple[Nested[Tensor], Any]:
        state, values = carry
        with _InnerScope(list(zip(seeds, values, strict=True))) as scope:
            outputs, state = step(inputs, state)
        return outputs, (state, tuple(scope.get_current_value(seed) for seed in seeds))

    return step_with_seeds
