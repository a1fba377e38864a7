"""The labels of a video frame by frame, while it is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rnnpipe.models.ensemble import find_members
from rnnpipe.models.frame_labeler import CLIP, FRAME
from rnnpipe.tasks.network import Array, Arrays, Function, softmax

if TYPE_CHECKING:
    import keras


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
    that it returned before, `state_0` and so on, which are left out at the first. It returns the
    logits `frame` and `clip`, or one of them, and the states.

    Args:
        model: of `build_frame_labeler`, reading forwards, or an ensemble of such models; the step
            is built when it is first used.
    """
    built: list[_Step] = []

    def call(arrays: Arrays) -> Arrays:
        if not built:
            built.extend(map(_Step, find_members(model) or [model]))
        labels: list[Arrays] = []
        states: dict[str, Array] = {}
        for step in built:
            names = [f"state_{number}" for number in range(len(states), len(states) + step.size)]
            outputs, after = step(arrays, [arrays.get(name) for name in names])
            labels.append(outputs)
            states |= dict(zip(names, after, strict=True))
        return {**_average(labels), **states}

    return call


def _average(logits: Sequence[Arrays]) -> Arrays:
    """The logarithm of the mean probabilities of an ensemble; of one model its own logits."""
    if len(logits) == 1:
        return logits[0]
    return {
        output: np.log(np.mean([softmax(each[output]) for each in logits], axis=0))
        for output in logits[0]
    }


class _Step:
    """A frame labeler as one step, with its states flat.

    Args:
        model: of `build_frame_labeler`, reading forwards.
    """

    def __init__(self, model: keras.Model) -> None:
        import tensorflow as tf

        from rnnpipe.models.frame_labeler import build_stream

        step = build_stream(model)
        self._sizes = [state.shape[-1] for state in step.input["states"]]
        self._sizes.append(step.input["pooled"].shape[-1])
        self._advance = tf.function(partial(step, training=False), reduce_retracing=True)

    @property
    def size(self) -> int:
        """How many states there are."""
        return len(self._sizes)

    def __call__(
        self, arrays: Arrays, states: Sequence[Array | None]
    ) -> tuple[Arrays, list[Array]]:
        """The logits of a frame, and the states after it; without states it is the first one."""
        known = [
            np.zeros((1, size), "float32") if state is None else state
            for size, state in zip(self._sizes, states, strict=True)
        ]
        *before, pooled = known
        inputs = {"frames": arrays["frames"], "number": arrays["number"]}
        after = dict(self._advance({**inputs, "states": before, "pooled": pooled}))
        remembered = [*after.pop("states"), after.pop("pooled")]
        logits = {name: output.numpy() for name, output in after.items()}
        return logits, [state.numpy() for state in remembered]
