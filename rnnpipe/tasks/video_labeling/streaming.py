"""The labels of a video frame by frame, while it is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.models.ensemble import find_members
from rnnpipe.models.frame_labeler import CLIP, FRAME
from rnnpipe.tasks.network import Array, Arrays, Function, softmax

if TYPE_CHECKING:
    import keras

_TINY = np.float32(1e-37)  # a probability whose logarithm is finite


def stream_labels(
    step: Function, frames: Iterable[tuple[float, Array]]
) -> Iterator[tuple[float, dict[str, Array]]]:
    """The probabilities of each frame's label and of the clip's so far, frame by frame.

    Args:
        step: the function `step` of a frame labeler's network, see `make_step`.
        frames: times in seconds, and what the network reads of each frame.

    Raises:
        UserError: the network reads backwards too.
    """
    states: Arrays = {}
    for number, (time, frame) in enumerate(frames, start=1):
        inputs = {"frames": frame[None], "number": np.full((1, 1), number, "float32")}
        outputs = step({**inputs, **states})
        states = {name: array for name, array in outputs.items() if name not in (FRAME, CLIP)}
        labels = (output for output in (FRAME, CLIP) if output in outputs)
        yield time, {output: softmax(outputs[output])[0] for output in labels}


def make_step(model: keras.Model) -> Function:
    """The function `step` of a network: labels one frame after those before it.

    It reads `frames`, `(1, …)`; `number`, `(1, 1)`, which frame it is, from 1; and the states
    that it returned before, `state_0` and so on and `pooled`, which are left out at the first. It
    returns the logits `frame` and `clip`, or one of them, and the states.

    Of an ensemble the logits are the logarithms of the members' mean probabilities, and `member_1.`
    and so on comes before the names of a member's states.

    Args:
        model: of `build_frame_labeler`, reading forwards, or an ensemble of such models; the step
            is built when it is first used.
    """
    if members := find_members(model):
        return _join_steps([make_step(member) for member in members])
    built: list[Any] = []

    def call(arrays: Arrays) -> Arrays:
        import tensorflow as tf

        if not built:
            built.extend(_build(model))
        sizes, pooled, advance = built
        tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        states = [
            tensors.get(f"state_{number}", tf.zeros((1, size))) for number, size in enumerate(sizes)
        ]
        inputs = {"frames": tensors["frames"], "number": tensors["number"], "states": states}
        after = advance({**inputs, "pooled": tensors.get("pooled", tf.zeros((1, pooled)))})
        named = {f"state_{number}": state for number, state in enumerate(after.pop("states"))}
        return {name: output.numpy() for name, output in {**after, **named}.items()}

    return call


def _join_steps(steps: Sequence[Function]) -> Function:
    prefixes = [f"member_{number}." for number in range(1, len(steps) + 1)]

    def call(arrays: Arrays) -> Arrays:
        shared = {name: arrays[name] for name in ("frames", "number")}
        joined: dict[str, Array] = {}
        probabilities: dict[str, list[Array]] = {}
        for prefix, step in zip(prefixes, steps, strict=True):
            own = {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
            for name, array in step({**shared, **own}).items():
                if name in (FRAME, CLIP):
                    probabilities.setdefault(name, []).append(softmax(array))
                else:
                    joined[prefix + name] = array
        means = {name: np.mean(each, axis=0) for name, each in probabilities.items()}
        return joined | {name: np.log(np.maximum(mean, _TINY)) for name, mean in means.items()}

    return call


def _build(model: keras.Model) -> tuple[list[int], int, Any]:
    import tensorflow as tf

    from rnnpipe.models.frame_labeler import build_stream

    step = build_stream(model)

    @tf.function(reduce_retracing=True)
    def advance(inputs: Mapping[str, Any]) -> dict[str, Any]:
        return dict(step(inputs, training=False))

    sizes = [state.shape[-1] for state in step.input["states"]]
    return sizes, step.input["pooled"].shape[-1], advance
