"""The two graphs of a search whose loop is outside of them: `encode` and `step`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnpipe.tasks.network import STATE, Bound, Graph, take_states

if TYPE_CHECKING:
    import tensorflow as tf

MEMORY = "memory/"
"""How the names of a step's tensors begin that it only reads; of those that each step returns
anew, in the order of the state, it is `STATE`."""

Begin = Callable[[Mapping[str, Any], int | None], tuple[Any, Any]]


def make_step_graphs(begin: Begin, inputs: Graph) -> Mapping[str, Graph]:
    """The graphs of a step of a batch, and of what it reads.

    `encode` makes the first `state/0`, … and the `memory/0`, … of the inputs. `step` takes them and
    the previous `tokens`, `(rows,)`, of any number of rows. It returns `logits`, `(rows, vocab)`,
    the next `state/0`, … and, with attention, `alignments`, `(rows, …)`.

    Args:
        begin: makes the step and its first state, see `SearchFunction`.
        inputs: the inputs of the search, with their bounds.
    """
    import tensorflow as tf

    bounded = _Step.trace(begin, inputs.inputs)
    free = _Step.trace(begin, inputs.free_inputs())

    def encode(tensors: Mapping[str, Any]) -> dict[str, Any]:
        _, state = begin(tensors, None)
        return dict(zip(bounded.names, _flatten(state), strict=True))

    def step(tensors: Mapping[str, Any]) -> dict[str, Any]:
        # The encoder is not run for it: nothing that is returned depends on these zeros.
        zeros = {name: tf.zeros(spec.shape, spec.dtype) for name, spec in inputs.inputs.items()}
        run, state = begin(zeros, None)
        state = _pack(state, [tensors[name] for name in bounded.names])
        logits, after, *rest = run(tensors["tokens"], state)
        returned = dict(zip(bounded.names, _flatten(after), strict=True))
        alignments = rest[0] if rest and hasattr(rest[0], "shape") else None
        return {"logits": logits, **take_states(returned), "alignments": alignments}

    tokens = {"tokens": tf.TensorSpec([None], tf.int32)}
    specs = {
        name: tf.TensorSpec([None, *spec.shape[1:]], spec.dtype)
        for name, spec in zip(bounded.names, bounded.specs, strict=True)
    }
    return {
        "encode": Graph(encode, inputs.inputs, bounds=inputs.bounds),
        "step": Graph(step, tokens | specs, bounds=_bounds(bounded, free)),
    }


@dataclass(frozen=True)
class _Step:
    """What a step reads beside tokens: names and specs of the parts of its state."""

    names: Sequence[str]
    specs: Sequence[tf.TensorSpec]

    @classmethod
    def trace(cls, begin: Begin, inputs: Mapping[str, tf.TensorSpec]) -> _Step:
        """What there is for inputs of these shapes."""
        import tensorflow as tf

        traced: list[_Step] = []

        def run(*tensors: tf.Tensor) -> None:
            step, state = begin(dict(zip(inputs, tensors, strict=True)), None)
            before = _flatten(state)
            tokens = tf.zeros(tf.shape(before[0])[:1], tf.int32)
            pairs = zip(before, _flatten(step(tokens, state)[1]), strict=True)
            names, counts = [], {STATE: 0, MEMORY: 0}
            for old, new in pairs:
                kind = MEMORY if new is old else STATE
                names.append(f"{kind}{counts[kind]}")
                counts[kind] += 1
            traced.append(cls(names, [tf.TensorSpec(each.shape, each.dtype) for each in before]))

        tf.function(run, autograph=False).get_concrete_function(*inputs.values())
        return traced[-1]


def _bounds(bounded: _Step, free: _Step) -> dict[str, Bound]:
    """Where what a step reads is as long as a bounded input."""
    return {
        name: Bound(size, axis=axis)
        for name, spec, other in zip(bounded.names, bounded.specs, free.specs, strict=True)
        for axis, (size, other_size) in enumerate(zip(spec.shape, other.shape, strict=True))
        if other_size is None and size is not None and axis
    }


def _flatten(state: Any) -> list[Any]:
    from keras import tree

    return list(tree.flatten(state))


def _pack(structure: Any, tensors: Sequence[Any]) -> Any:
    from keras import tree

    return tree.pack_sequence_as(structure, tensors)
