"""The step of a Keras model that labels videos frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from rnnpipe.models.ensemble import mean_logits
from rnnpipe.models.frame_labeler import CLIP, FRAME, build_stream, check_stream
from rnnpipe.tasks.graph_function import make_stream_function
from rnnpipe.tasks.network import Function, Graph, state_name

if TYPE_CHECKING:
    import keras


def make_step(model: keras.Model) -> Function:
    """The function `step` of a network: labels a frame of each video after those before it.

    It reads `frames`, `(batch, …)`, and the states that it returned before, `state/0` and so on,
    which are left out, or zeros, at the first frame: those of the recurrence, the pooled features
    of the frames so far, and their number. It returns the logits `frame` and `clip`, or one of
    them, and the states.

    Of an ensemble the logits are the logarithms of the members' mean probabilities, and the states
    those of one member after the other.

    Args:
        model: of `build_frame_labeler`, or an ensemble of such models; the step is built when it is
            first used.

    Returns:
        The function; of a model that reads backwards too, one that raises a `UserError`.
    """
    return make_stream_function(model, check_stream, _make_graph)


def _make_graph(members: Sequence[keras.Model]) -> Graph:
    import tensorflow as tf

    streams = [build_stream(member) for member in members]
    sizes = [_state_sizes(stream) for stream in streams]
    names = [state_name(number) for number in range(sum(map(len, sizes)))]
    frames = streams[0].input["frames"]
    states = zip(names, [size for each in sizes for size in each], strict=True)
    specs = {name: tf.TensorSpec((None, size), tf.float32) for name, size in states}

    def step(tensors: Mapping[str, Any]) -> dict[str, Any]:
        before = iter([tensors[name] for name in names])
        outputs, after = [], []
        for stream, own in zip(streams, sizes, strict=True):
            *states, pooled, count = islice(before, len(own))
            number = count + 1
            inputs = {"frames": tensors["frames"], "states": states, "pooled": pooled}
            output = stream({**inputs, "number": number}, training=False)
            after += [*output["states"], output["pooled"], number]
            outputs.append(output)
        labels = {name: _join([o[name] for o in outputs]) for name in _labels(outputs[0])}
        return labels | {n: tf.cast(s, tf.float32) for n, s in zip(names, after, strict=True)}

    return Graph(
        step, {"frames": tf.TensorSpec(frames.shape, frames.dtype), **specs}, states=tuple(names)
    )


def _state_sizes(stream: keras.Model) -> list[int]:
    """Of the recurrence, of the pooled features, and of the number of frames."""
    states = [*stream.input["states"], stream.input["pooled"]]
    return [*(state.shape[-1] for state in states), 1]


def _labels(output: Mapping[str, Any]) -> list[str]:
    return [name for name in (FRAME, CLIP) if name in output]


def _join(logits: Sequence[Any]) -> Any:
    return logits[0] if len(logits) == 1 else mean_logits(logits)
