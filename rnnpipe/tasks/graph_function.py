"""Graphs as functions of a network, computed by TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.tasks.network import Arrays, Function, Graph, first_state

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
        import tensorflow as tf

        function = self._make(**options).function
        return tf.function(function, autograph=False, reduce_retracing=True)


def refusing(fault: UserError) -> Function:
    """A function of a network that there cannot be.

    Args:
        fault: what each call raises.
    """

    def refuse(arrays: Arrays) -> Arrays:
        del arrays
        raise fault

    return refuse
