"""The trained network of a predictor: functions from named arrays to named arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

T = TypeVar("T")

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
class Bound:
    """The most that an axis of an input may have, and what fills up what has less.

    Args:
        length: of the axis.
        padding: what the model's mask takes for nothing.
        axis: which one; the rows of a batch are on the first.
    """

    length: int
    padding: int = 0
    axis: int = 1


@dataclass(frozen=True)
class Graph:
    """What a function of a Keras network computes, from tensors to tensors: exports are made of it.

    Args:
        function: from tensors by name to outputs by name; it is traced anew for each export.
        inputs: the shape and dtype of each input by name; the rows of a batch are on the first
            axis, and None stands for what may differ from call to call.
        options: the keywords of the function that are part of the graph, and their values.
        states: the inputs that are zeros where they are left out.
        bounds: the inputs that are padded to one length.
        resources: what it uses beside variables, e.g. tables of words.
        nested: whether there are loops within its loop.
    """

    function: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    inputs: Mapping[str, tf.TensorSpec]
    options: Mapping[str, Any] = field(default_factory=dict)
    states: Sequence[str] = ()
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    resources: Sequence[Any] = ()
    nested: bool = False

    def bound(self, bounds: Mapping[str, Bound], rows: int | None = None) -> Graph:
        """The same graph for inputs of fixed shapes, as far as there are bounds.

        Args:
            bounds: by the name of an input; those of other graphs may be there too.
            rows: of a batch; None: any number.
        """
        own = {name: bound for name, bound in bounds.items() if name in self.inputs}
        sizes: dict[str, dict[int, int | None]] = {
            name: {} if rows is None else {0: rows} for name in self.inputs
        }
        for name, bound in own.items():
            sizes[name][bound.axis] = bound.length
        return replace(self, inputs=_resize(self.inputs, sizes), bounds=own)

    def free_inputs(self) -> Mapping[str, tf.TensorSpec]:
        """The inputs with no bounds."""
        sizes = {name: {bound.axis: None} for name, bound in self.bounds.items()}
        return _resize(self.inputs, sizes)

    def bounded_outputs(self) -> dict[str, list[tuple[int, str, int]]]:
        """The axes of outputs that are as long as a bounded input, or a fraction of it, by name.

        Returns:
            Of each axis its number, the input, and how many of that one's steps are one of it.
        """
        free = replace(self, inputs=self.free_inputs()).trace_outputs()
        # Rows come last: what is shared by rows is not as long as an output of each.
        sources = sorted(self.bounds.items(), key=lambda item: item[1].axis == 0)
        found: dict[str, list[tuple[int, str, int]]] = {}
        for output, bounded in self.trace_outputs().items() if sources else ():
            for axis, pair in enumerate(zip(free[output].shape, bounded.shape, strict=True)):
                if pair[0] is None and pair[1] is not None:
                    for source, steps in _find_source(sources, pair[1]):
                        found.setdefault(output, []).append((axis, source, steps))
        return found

    def trace(self) -> Any:
        """The graph as a `tf.function` of positional tensors, in the order of `inputs`.

        It is traced for any device: cuDNN computes on GPUs alone.
        """
        import tensorflow as tf

        from rnnpipe.layers.kernels import computing_anywhere

        def call(*tensors: tf.Tensor) -> Mapping[str, tf.Tensor]:
            named = dict(zip(self.inputs, tensors, strict=True))
            with computing_anywhere():
                return {k: v for k, v in self.function(named).items() if v is not None}

        return tf.function(call, input_signature=self.signature, autograph=False)

    def has_loop(self) -> bool:
        """Whether anything of the outputs is computed in a loop."""
        graph = self.trace().get_concrete_function().graph
        pending, seen = [tensor.op for tensor in graph.outputs], set[str]()
        while pending:
            operation = pending.pop()
            if operation.type in ("While", "StatelessWhile"):
                return True
            if operation.name not in seen:
                seen.add(operation.name)
                pending.extend(tensor.op for tensor in operation.inputs)
        return False

    def trace_outputs(self) -> Mapping[str, Any]:
        """The outputs by name, with their shapes and dtypes."""
        outputs: Mapping[str, Any] = self.trace().get_concrete_function().structured_outputs
        return outputs

    @property
    def signature(self) -> list[tf.TensorSpec]:
        """The inputs in their order, each with its name."""
        import tensorflow as tf

        return [tf.TensorSpec(s.shape, s.dtype, name=name) for name, s in self.inputs.items()]


def _find_source(sources: Sequence[tuple[str, Bound]], length: int) -> list[tuple[str, int]]:
    """The input that an axis of this length comes from, and its steps for one; none without."""
    whole = [
        (name, bound.length // length)
        for name, bound in sources
        if length and bound.length % length == 0
    ]
    return sorted(whole, key=lambda each: each[1])[:1]


def find_limit(function: object, name: str) -> int | None:
    """The most that an input of a function may have in a row, where its shapes are fixed."""
    limits: Mapping[str, int] = getattr(function, "limits", {})
    return limits.get(name)


STATE = "state/"
"""How the names of states of the function `step` begin, as inputs and as outputs."""


def state_name(number: int) -> str:
    """The name of a state of the function `step`, as an input and as an output."""
    return f"{STATE}{number}"


def take_states(named: Mapping[str, T]) -> dict[str, T]:
    """The states among the outputs of the function `step`, or of one that makes the first of them.

    Example:
        >>> take_states({"logits": 1, "state/0": 2})
        {'state/0': 2}
    """
    return {name: each for name, each in named.items() if name.startswith(STATE)}


def first_state(shape: Sequence[int | None], dtype: str, rows: int) -> Array:
    """The state of each row before the first step: zeros.

    Args:
        shape: of the state; None stands for the rows.
        dtype: its name.
        rows: of the batch.
    """
    return np.zeros([rows if axis is None else axis for axis in shape], dtype)


def _resize(
    specs: Mapping[str, tf.TensorSpec], sizes: Mapping[str, Mapping[int, int | None]]
) -> dict[str, tf.TensorSpec]:
    """Specs of other sizes: by name, by axis."""
    import tensorflow as tf

    def resize(spec: tf.TensorSpec, own: Mapping[int, int | None]) -> tf.TensorSpec:
        shape = [own.get(axis, size) for axis, size in enumerate(spec.shape)]
        return tf.TensorSpec(shape, spec.dtype)

    return {name: resize(spec, sizes.get(name, {})) for name, spec in specs.items()}


@runtime_checkable
class HasGraph(Protocol):
    """A function of a network that is computed by TensorFlow."""

    def graph(self) -> Graph:
        """What it computes, with the options of its config."""


def find_graph(function: object) -> Graph | None:
    """The graph of a function of a network; None if TensorFlow does not compute it."""
    return function.graph() if isinstance(function, HasGraph) else None


@runtime_checkable
class HasStepGraphs(Protocol):
    """A function that is a loop around a step."""

    def step_graphs(self, bounds: Mapping[str, Bound]) -> Mapping[str, Graph]:
        """The graphs that its loop calls: `encode`, once, and `step`.

        Args:
            bounds: of its inputs, see `Graph.bound`.
        """


def find_step_graphs(function: object, bounds: Mapping[str, Bound]) -> Mapping[str, Graph]:
    """The graphs of the step of a function of a network; none of a function that has no step."""
    return function.step_graphs(bounds) if isinstance(function, HasStepGraphs) else {}


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
        self._model = model
        self._takes_names = isinstance(getattr(model, "input", None), Mapping)
        self._compiled = compile_here(self._forward)

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


def compile_here(function: Callable[..., T]) -> Callable[..., T]:
    """The function as a graph of TensorFlow that is never exported, so that XLA may compile it."""
    import tensorflow as tf

    from rnnpipe.layers.kernels import computing_here

    def call(*tensors: Any) -> T:
        with computing_here():
            return function(*tensors)

    graph: Callable[..., T] = tf.function(call, autograph=False, reduce_retracing=True)
    return graph


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
