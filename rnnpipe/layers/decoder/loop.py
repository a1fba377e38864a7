"""A step over all of a sequence, on every backend."""

from collections.abc import Callable
from typing import Any

import keras

Step = Callable[[Any, Any], tuple[Any, Any]]
"""From inputs `(batch, features)` and a state to nested outputs `(batch, ...)` and a state."""


class _Cell:
    """A step in the form in which Keras runs it over time."""

    state_size = 1

    def __init__(self, step: Step) -> None:
        self.step = step

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """One step."""
        return self.step(inputs, state)

    __call__ = call


def run(step: Step, inputs: Any, state: Any, drawing: Any = None) -> Any:
    """The outputs of all steps, nested, each `(batch, time, ...)`.

    Args:
        step: what to do at each.
        inputs: `(batch, time, features)`.
        state: a tuple, the first state; the step gets tuples of the same nesting.
        drawing: the layer that draws at random in the step, if one does.
    """
    seeds = [] if drawing is None else _seeds(drawing)
    if seeds:
        step, state = _carry_seeds(step, drawing, seeds), (state, tuple(s.value for s in seeds))
    loop = keras.layers.RNN(_Cell(step), return_sequences=True)
    _, outputs, state = loop.inner_loop(inputs, state, None)
    for seed, value in zip(seeds, state[1] if seeds else (), strict=True):
        seed.assign(value)
    return outputs


def _seeds(layer: Any) -> list[Any]:
    """The variables of a layer that hold the seeds of what it draws."""
    weights = {id(weight) for weight in layer.weights}
    return [variable for variable in layer.variables if id(variable) not in weights]


def _carry_seeds(step: Step, layer: Any, seeds: list[Any]) -> Step:
    """The step with the seeds in its state: no compiled loop on JAX may change a variable."""

    def drawing(inputs: Any, carried: Any) -> tuple[Any, Any]:
        state, values = carried
        held = [(variable, variable.value) for variable in layer.variables]
        with keras.StatelessScope([*held, *zip(seeds, values, strict=True)]) as scope:
            outputs, state = step(inputs, state)
        return outputs, (state, tuple(scope.get_current_value(seed) for seed in seeds))

    return drawing
