"""Labels of a user's own video, as a whole or as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.models.frame_labeler import build_stream
from rnnpipe.sources.videos.decoding import Framing, read_video, sample_pictures
from rnnpipe.tasks.base import Prediction
from rnnpipe.tasks.video_labeling.config import Frames
from rnnpipe.tasks.video_labeling.drawing import draw_timeline, pick_evenly
from rnnpipe.tasks.video_labeling.labels import CLIP, FRAME, Array, find_segments
from rnnpipe.tasks.video_labeling.sources import make_framing
from rnnpipe.transforms.recipes.image_features import Features

_TOP = 5

Names = Mapping[str, Sequence[str]]


class _Frame(NamedTuple):
    """When it is on show, in seconds; the image; the input of the model."""

    time: float
    image: Array
    seen: Array


def predict_video(
    model: keras.Model, path: str, frames: Frames, names: Names, features: Features | None = None
) -> Prediction:
    """The labels of a video over time and its classes, and a film strip over the labels.

    Args:
        model: of `build_frame_labeler`.
        path: the video.
        frames: how its frames are sampled.
        names: of the labels, by output.
        features: what computes the features that the model sees; None where it sees frames.

    Raises:
        UserError: the video cannot be read, or is too short.
    """
    times, images, seen = map(list, zip(*_read_frames(path, frames, features), strict=True))
    index = np.arange(len(seen), dtype="int32")[None]
    logits = model({"frames": np.stack(seen), "frame_index": index}, training=False)
    outputs = {output: tf.nn.softmax(logits[output])[0].numpy() for output in names}
    strip = [images[place] for place in pick_evenly(len(images))]
    rows, timeline = {}, []
    if FRAME in names:
        rows["model"] = outputs[FRAME].argmax(axis=1)
        timeline = list(_spell(outputs[FRAME], names[FRAME], 1 / frames.rate))
    picture = draw_timeline(strip, times, rows, names.get(FRAME, ()))
    return Prediction(_rank(outputs[CLIP], names[CLIP]) if CLIP in names else (), picture, timeline)


def stream_video(
    model: keras.Model, path: str, frames: Frames, names: Names, features: Features | None = None
) -> Iterator[str]:
    """Lines of labels while the video is decoded: each when it begins, the clip's at the end.

    Only one frame is in memory, and the recurrent state: a video may be of any length.

    Args:
        model: of `build_frame_labeler`, reading forwards.
        path: the video.
        frames: how its frames are sampled.
        names: of the labels, by output.
        features: what computes the features that the model sees; None where it sees frames.

    Raises:
        UserError: the video cannot be read, or the model needs all of it at once.
    """
    alone = features and replace(features, batch_size=1)  # a label is printed before the next frame
    shown = ((frame.time, frame.seen) for frame in _read_frames(path, frames, alone))
    return _format_labels(stream_labels(model, shown), names, 1 / frames.rate)


def stream_labels(
    model: keras.Model, frames: Iterable[tuple[float, Array]]
) -> Iterator[tuple[float, dict[str, Array]]]:
    """The probabilities of each frame's label and of the clip's so far, frame by frame.

    Args:
        model: of `build_frame_labeler`, reading forwards.
        frames: times in seconds, and what the model sees: uint8 `(height, width, 3)`, or features
            `(channels,)`.

    Raises:
        UserError: the model is bidirectional.
    """
    step = build_stream(model)

    @tf.function(reduce_retracing=True)
    def advance(inputs: Mapping[str, Any]) -> Any:
        return step(inputs, training=False)

    states: Any = [tf.zeros((1, state.shape[-1])) for state in step.input["states"]]
    pooled = tf.zeros((1, step.input["pooled"].shape[-1]))
    for number, (time, frame) in enumerate(frames, start=1):
        inputs = {"frames": frame[None], "states": states, "pooled": pooled}
        outputs = advance({**inputs, "number": tf.fill((1, 1), float(number))})
        states, pooled = outputs["states"], outputs["pooled"]
        yield (
            time,
            {
                output: tf.nn.softmax(outputs[output])[0].numpy()
                for output in (FRAME, CLIP)
                if output in outputs
            },
        )


def _read_frames(path: str, frames: Frames, features: Features | None) -> Iterator[_Frame]:
    """The sampled frames; in memory are those of one batch of the backbone."""
    looks = [make_framing(frames)]
    if features is not None:
        looks.append(replace(looks[0], size=features.image_size))
    pictures = _read_pictures(path, frames.rate, looks)
    while batch := list(islice(pictures, features.batch_size if features else 1)):
        seen = [squares[-1] for _, squares in batch]
        if features is not None:
            seen = [*features.average(np.stack(seen))]
        for (time, (image, *_)), given in zip(batch, seen, strict=True):
            yield _Frame(time, image, given)


def _read_pictures(
    path: str, rate: float, looks: Sequence[Framing]
) -> Iterator[tuple[float, list[Array]]]:
    """Times in seconds, and the squares that each look makes of a picture."""
    found = False
    try:
        for time, shown in sample_pictures(read_video(path), rate):
            yield float(time), [np.asarray(framing(shown)) for framing in looks]
            found = True
    except BadRecord as bad:
        fix = "name another file"
        raise UserError(f"--video {path}", "a video that can be read", bad.reason, fix) from bad
    if not found:
        expected, got = f"a video of at least {0.5 / rate:g} s", "a shorter one"
        raise UserError(f"--video {path}", expected, got, "name a longer one")


def _format_labels(
    outputs: Iterable[tuple[float, Mapping[str, Array]]], names: Names, step: float
) -> Iterator[str]:
    before: int | None = None
    now: Mapping[str, Array] = {}
    for time, now in outputs:
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
