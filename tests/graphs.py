"""Frees TensorFlow graphs that no test uses any more."""

import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any


def free_graphs() -> None:
    """Frees models and graphs that nothing but TensorFlow's registry of gradients holds.

    It keeps the gradient of each `tf.custom_gradient` of a graph, and thus the graph, for as long
    as the process lives: Keras' training steps have such gradients, and so have our kernels. Here
    the graph holds its gradients instead, and the registry only points to them. Those of loaded
    SavedModels are dropped: no test differentiates them.
    """
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework.ops import gradient_registry

        entries = gradient_registry._registry
        for name in [name for name in entries if name.startswith("CustomGradient-")]:
            _release(entries, name)
    gc.collect()


def _release(entries: dict[str, dict[str, Any]], name: str) -> None:
    gradient = entries[name]["type"]
    if isinstance(gradient, _Pointer):
        return
    graph = _graph_of(gradient)
    if graph is None:
        del entries[name]
        return
    graph.gradients = [*getattr(graph, "gradients", []), gradient]
    entries[name]["type"] = _Pointer(gradient)
    weakref.finalize(graph, entries.pop, name).atexit = False


def _graph_of(gradient: Callable[..., Any]) -> Any:
    """The graph in which a gradient was made; None where it belongs to a loaded SavedModel."""
    import tensorflow as tf

    cells = _cells(gradient)
    if "tape_grad_fn" not in cells:
        return None
    return tf.nest.flatten(_cells(cells["tape_grad_fn"])["result"])[0].graph


def _cells(function: Callable[..., Any]) -> dict[str, Any]:
    """What a nested function holds of those around it."""
    names, cells = function.__code__.co_freevars, function.__closure__ or ()
    return {name: cell.cell_contents for name, cell in zip(names, cells, strict=True)}


class _Pointer:
    """A gradient that lives as long as its graph."""

    def __init__(self, gradient: Callable[..., Any]) -> None:
        self._gradient = weakref.ref(gradient)

    def __call__(self, *arguments: Any) -> Any:
        gradient = self._gradient()
        assert gradient, "the graph of this gradient is gone"
        return gradient(*arguments)
