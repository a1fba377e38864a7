"""What a model says of a user's own video, as a whole or while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.config.schema.video import Frames
from rnnpipe.errors import BadRecord, UserError
from rnnpipe.models.frame_labeler import build_stream
from rnnpipe.sources.videos.decoding import read_video, sample_pictures
from rnnpipe.tasks.task import Prediction
from rnnpipe.tasks.video.drawings import draw_timeline, pick_evenly
from rnnpipe.tasks.video.labels import CLIP, FRAME, Array, find_segments
from rnnpipe.tasks.video.sources import make_framing

_TOP = 5

Names = Mapping[str, Sequence[str]]


def predict_video(model: keras.Model, path: str, frames: Frames, names: Names) -> Prediction:
    """The labels of a video over time and its classes, and a film strip over the labels.

    Args:
        model: of `build_frame_labeler`.
        path: the video.
        frames: how its frames are sampled.
        names: of the labels, by output.

    Raises:
        UserError: the video cannot be read, or is too short.
    """
    times, pictures = map(list, zip(*_read_pictures(path, frames), strict=True))
    images = np.stack(pictures)
    index = np.arange(len(images), dtype="int32")[None]
    logits = model({"frames": images, "frame_index": index}, training=False)
    said = {output: tf.nn.softmax(logits[output])[0].numpy() for output in names}
    strip = [images[place] for place in pick_evenly(len(images))]
    rows, timeline = {}, []
    if FRAME in names:
        rows["model"] = said[FRAME].argmax(axis=1)
        timeline = list(_spell(said[FRAME], names[FRAME], 1 / frames.rate))
    picture = draw_timeline(strip, times, rows, names.get(FRAME, ()))
    return Prediction(_rank(said[CLIP], names[CLIP]) if CLIP in names else (), picture, timeline)


def stream_video(model: keras.Model, path: str, frames: Frames, names: Names) -> Iterator[str]:
    """Lines about a video while it is read: each label when it begins, and the clip's at the end.

    Only one frame is in memory, and what the model remembers: a video may be of any length.

    Args:
        model: of `build_frame_labeler`, reading forwards.
        path: the video.
        frames: how its frames are sampled.
        names: of the labels, by output.

    Raises:
        UserError: the video cannot be read, or the model needs all of it at once.
    """
    pictures = _read_pictures(path, frames)
    return _tell(stream_labels(model, pictures), names, 1 / frames.rate)


def stream_labels(
    model: keras.Model, pictures: Iterable[tuple[float, Array]]
) -> Iterator[tuple[float, dict[str, Array]]]:
    """The probabilities of each frame's label and of the clip's so far, frame by frame.

    Args:
        model: of `build_frame_labeler`, reading forwards.
        pictures: times in seconds, and frames, uint8 `(height, width, 3)`.

    Raises:
        UserError: the model reads backwards too.
    """
    step = build_stream(model)

    @tf.function(reduce_retracing=True)
    def advance(inputs: Mapping[str, Any]) -> Any:
        return step(inputs, training=False)

    states: Any = [tf.zeros((1, state.shape[-1])) for state in step.input["states"]]
    pooled = tf.zeros((1, step.input["pooled"].shape[-1]))
    for number, (time, picture) in enumerate(pictures, start=1):
        inputs = {"image": picture[None], "states": states, "pooled": pooled}
        said = advance({**inputs, "number": tf.fill((1, 1), float(number))})
        states, pooled = said["states"], said["pooled"]
        outputs = (output for output in (FRAME, CLIP) if output in said)
        yield time, {output: tf.nn.softmax(said[output])[0].numpy() for output in outputs}


def _read_pictures(path: str, frames: Frames) -> Iterator[tuple[float, Array]]:
    found, framing = False, make_framing(frames)
    try:
        for time, shown in sample_pictures(read_video(path), frames.rate):
            yield float(time), np.asarray(framing(shown))
            found = True
    except BadRecord as bad:
        fix = "name another file"
        raise UserError(f"--video {path}", "a video that can be read", bad.reason, fix) from bad
    if not found:
        expected, got = f"a video of at least {0.5 / frames.rate:g} s", "a shorter one"
        raise UserError(f"--video {path}", expected, got, "name a longer one")


def _tell(
    said: Iterable[tuple[float, Mapping[str, Array]]], names: Names, step: float
) -> Iterator[str]:
    before: int | None = None
    now: Mapping[str, Array] = {}
    for time, now in said:
        if FRAME in now:
            label = int(now[FRAME].argmax())
            if label != before:
                yield f"{time - step / 2:8.2f} s  {names[FRAME][label]}\n"
            before = label
    for name, probability in _rank(now[CLIP], names[CLIP]) if CLIP in now else ():
        yield f"clip: {name} ({probability:.1%})\n"


def _spell(
    probabilities: Array, names: Sequence[str], step: float
) -> Iterator[tuple[float, float, str, float]]:
    for first, last, label in find_segments(probabilities.argmax(axis=1)):
        sure = float(probabilities[first:last, label].mean())
        yield first * step, last * step, names[label], sure


def _rank(probabilities: Array, names: Sequence[str]) -> list[tuple[str, float]]:
    order = np.argsort(-probabilities, kind="stable")[:_TOP]
    return [(names[place], float(probabilities[place])) for place in order]
