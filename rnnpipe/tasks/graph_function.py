"""Graphs as functions of a network, computed by TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.models.ensemble import find_members
from rnnpipe.tasks.network import Arrays, Function, Graph, compile_here, first_state

if TYPE_CHECKING:
    import keras

_COMPILED = 8  # graphs that are kept: options are part of them


class GraphFunction:
    """A function of a network that computes a graph, compiled once for each set of options.

    States that are left out are zeros.

    Args:
        make: the graph for options; it is made when it is first asked for, and the weights of its
            model may change between calls.
        **options: those of the graph that is exported, and of calls without.
    """

    def __init__(self, make: Callable[..., Graph], **options: Hashable) -> None:
        self._make, self._options = lru_cache(maxsize=_COMPILED)(make), options
        self._compiled = lru_cache(maxsize=_COMPILED)(self._compile)

    def __call__(self, arrays: Arrays, **options: Hashable) -> Arrays:
        """The outputs of a batch by name."""
        import tensorflow as tf

        options = {**self._options, **options}
        graph, rows = self._make(**options), len(next(iter(arrays.values())))
        states = {
            name: first_state(graph.inputs[name].shape, graph.inputs[name].dtype.name, rows)
            for name in graph.states
        }
        tensors = {k: tf.convert_to_tensor(array) for k, array in {**states, **arrays}.items()}
        outputs = self._compiled(**options)(tensors)
        return {name: output.numpy() for name, output in outputs.items()}

    def graph(self) -> Graph:
        """The graph with the options of the function."""
        return self._make(**self._options)

    def _compile(self, **options: Hashable) -> Any:
        return compile_here(self._make(**options).function)


def make_stream_function(
    model: keras.Model,
    check: Callable[[keras.Model], None],
    make: Callable[[Sequence[keras.Model]], Graph],
) -> Function:
    """The function `step` of a network that reads records as they come.

    Args:
        model: or an ensemble of such models.
        check: raises a `UserError` for a model that must read a record as a whole.
        make: the graph of a step of one model or several; it is made when it is first asked for.

    Returns:
        The function; where a model must read a record as a whole, one that raises the `UserError`.
    """
    members = find_members(model) or [model]
    try:
        for member in members:
            check(member)
    except UserError as fault:
        return _refusing(fault)
    return GraphFunction(lambda: make(members))


def _refusing(fault: UserError) -> Function:
    def refuse(arrays: Arrays) -> Arrays:
        del arrays
        raise fault

    return refuse
