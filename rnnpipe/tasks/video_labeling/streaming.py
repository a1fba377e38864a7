"""The labels of a video frame by frame, while it is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rnnpipe.models.frame_labeler import CLIP, FRAME
from rnnpipe.tasks.network import Array, Arrays, Function, softmax


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
    for time, frame in frames:
        outputs = step({"frames": frame[None], **states})
        states = {name: array for name, array in outputs.items() if name not in (FRAME, CLIP)}
        labels = (output for output in (FRAME, CLIP) if output in outputs)
        yield time, {output: softmax(outputs[output])[0] for output in labels}
