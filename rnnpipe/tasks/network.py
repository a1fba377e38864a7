"""The trained network of a predictor: functions from named arrays to named arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Array = np.ndarray[Any, np.dtype[Any]]

Arrays = Mapping[str, Array]
"""Arrays by name, with the rows of a batch on their first axis."""


Function = Callable[..., Arrays]
"""One function of a network, e.g. the classifier, or the search for translations: from the arrays
of a batch to its outputs. Its keywords are settings that all rows share, hashable."""

Network = Mapping[str, Function]
"""The functions of a trained network by name: `call` of classifiers, `search` of translators and
captioners, `draw` of language models. A Keras model gives them, see `Task.make_network`; so may
anything else that computes the same."""


@dataclass(frozen=True)
class Graph:
    """What a function of a Keras network computes, from tensors to tensors: exports are made of it.

    Args:
        function: from tensors by name to outputs by name; it is traced anew for each export.
        inputs: the shape and dtype of each input by name; the rows of a batch are on the first
            axis, and None stands for what may differ from call to call.
        options: the keywords of the function that are part of the graph, and their values.
        states: the inputs that are zeros where they are left out.
        resources: what it uses beside variables, e.g. tables of words.
    """

    function: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    inputs: Mapping[str, tf.TensorSpec]
    options: Mapping[str, Any] = field(default_factory=dict)
    states: Sequence[str] = ()
    resources: Sequence[Any] = ()

    def trace(self) -> Any:
        """The graph as a `tf.function` of positional tensors, in the order of `inputs`."""
        import tensorflow as tf

        def call(*tensors: tf.Tensor) -> Mapping[str, tf.Tensor]:
            named = dict(zip(self.inputs, tensors, strict=True))
            return {k: v for k, v in self.function(named).items() if v is not None}

        return tf.function(call, input_signature=self.signature, autograph=False)

    @property
    def signature(self) -> list[tf.TensorSpec]:
        """The inputs in their order, each with its name."""
        import tensorflow as tf

        return [tf.TensorSpec(s.shape, s.dtype, name=name) for name, s in self.inputs.items()]


def state_name(number: int) -> str:
    """The name of a state of the function `step`, as an input and as an output."""
    return f"state/{number}"


def first_state(shape: Sequence[int | None], dtype: str, rows: int) -> Array:
    """The state of each row before the first step: zeros.

    Args:
        shape: of the state; None stands for the rows.
        dtype: its name.
        rows: of the batch.
    """
    return np.zeros([rows if axis is None else axis for axis in shape], dtype)


@runtime_checkable
class HasGraph(Protocol):
    """A function of a network that is computed by TensorFlow."""

    def graph(self) -> Graph:
        """What it computes, with the options of its config."""


def find_graph(function: object) -> Graph | None:
    """The graph of a function of a network; None if TensorFlow does not compute it."""
    return function.graph() if isinstance(function, HasGraph) else None


def describe_inputs(model: keras.Model, *names: str) -> dict[str, tf.TensorSpec]:
    """The shapes and dtypes of inputs of a Keras model, by name.

    Args:
        model: takes its inputs by name, or one alone.
        *names: of the inputs; by default all.
    """
    import tensorflow as tf

    inputs = model.input if isinstance(model.input, Mapping) else {model.input.name: model.input}
    return {name: tf.TensorSpec(inputs[name].shape, inputs[name].dtype) for name in names or inputs}


class ModelFunction:
    """The forward pass of a Keras model as a function of a network, compiled.

    Args:
        model: takes its inputs by name, or one alone, and returns outputs by name.
    """

    def __init__(self, model: keras.Model) -> None:
        import tensorflow as tf

        self._model = model
        self._takes_names = isinstance(getattr(model, "input", None), Mapping)
        self._compiled = tf.function(self._forward, reduce_retracing=True)

    def __call__(self, arrays: Arrays) -> Arrays:
        """The outputs of a batch by name."""
        import tensorflow as tf

        tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        return {name: output.numpy() for name, output in self._compiled(tensors).items()}

    def graph(self) -> Graph:
        """The forward pass of any batch."""
        return Graph(self._forward, describe_inputs(self._model))

    def _forward(self, arrays: Mapping[str, tf.Tensor]) -> Mapping[str, tf.Tensor]:
        alone = len(arrays) == 1 and not self._takes_names
        outputs = self._model(next(iter(arrays.values())) if alone else arrays, training=False)
        return {name: output for name, output in outputs.items() if output is not None}


def make_function(model: keras.Model) -> ModelFunction:
    """The forward pass of a Keras model as a function of a network, see `ModelFunction`.

    Evaluation calls it too, so that scores and predictions are those of one graph.
    """
    return ModelFunction(model)


def softmax(logits: Array) -> Array:
    """Probabilities of logits, over the last axis.

    Example:
        >>> softmax(np.array([0.0, 0.0])).tolist()
        [0.5, 0.5]
    """
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    normalised: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return normalised
