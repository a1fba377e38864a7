"""Labels of a user's own video, as a whole or while it is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.models.ensemble import find_members
from rnnpipe.models.frame_labeler import CLIP, FRAME, build_stream
from rnnpipe.sources.videos.decoding import read_video, sample_pictures
from rnnpipe.tasks.image_inputs import decode_pixels
from rnnpipe.tasks.prediction import Answer, Prediction, Segment
from rnnpipe.tasks.video_labeling.drawing import draw_timeline, pick_evenly
from rnnpipe.tasks.video_labeling.labels import Array, find_segments
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from rnnpipe.transforms.recipes.video_frames import ConvertFrame, FrameOptions

_TOP = 5

Names = Mapping[str, Sequence[str]]


class _Frame(NamedTuple):
    """A frame: its time in seconds, its image, and what the model reads of it."""

    time: float
    image: Array
    model_input: Array


def predict_video(
    model: keras.Model,
    path: str,
    frames: FrameOptions,
    names: Names,
    features: FeatureOptions | None = None,
) -> Prediction:
    """The labels of a video over time and its classes, and a film strip over the labels.

    Args:
        model: of `build_frame_labeler`.
        path: the video.
        frames: how its frames are sampled.
        names: of the labels, by output.
        features: those that the model reads; None: it reads frames.

    Raises:
        UserError: the video cannot be read, or is too short.
    """
    times, images, inputs = map(list, zip(*_read_frames(path, frames, features), strict=True))
    index = np.arange(len(inputs), dtype="int32")[None]
    logits = model({"frames": np.stack(inputs), "frame_index": index}, training=False)
    predicted = {output: tf.nn.softmax(logits[output])[0].numpy() for output in names}
    strip = [images[place] for place in pick_evenly(len(images))]
    rows, timeline = {}, []
    if FRAME in names:
        rows["model"] = predicted[FRAME].argmax(axis=1)
        timeline = list(_list_segments(predicted[FRAME], names[FRAME], 1 / frames.rate))
    picture = draw_timeline(strip, times, rows, names.get(FRAME, ()))
    classes = _rank(predicted[CLIP], names[CLIP]) if CLIP in names else ()
    return Prediction(classes, picture, timeline)


def stream_video(
    model: keras.Model,
    path: str,
    frames: FrameOptions,
    names: Names,
    features: FeatureOptions | None = None,
) -> Iterator[str]:
    """Lines about a video while it is decoded: each label when it begins, and the clip's last.

    Only one frame and the model's states are in memory: a video may be of any length.

    Args:
        model: of `build_frame_labeler`, reading forwards.
        path: the video.
        frames: how its frames are sampled.
        names: of the labels, by output.
        features: those that the model reads; None: it reads frames.

    Raises:
        UserError: the video cannot be read, or the model needs all of it at once.
    """
    alone = features and replace(features, batch_size=1)  # a label comes before the next frame
    inputs = ((frame.time, frame.model_input) for frame in _read_frames(path, frames, alone))
    return _format_labels(stream_labels(model, inputs), names, 1 / frames.rate)


def stream_labels(
    model: keras.Model, frames: Iterable[tuple[float, Array]]
) -> Iterator[tuple[float, dict[str, Array]]]:
    """The probabilities of each frame's label and of the clip's so far, frame by frame.

    Args:
        model: of `build_frame_labeler`, reading forwards, or an ensemble of such models.
        frames: times in seconds, and frames, uint8 `(height, width, 3)`, or their features
            `(channels,)`.

    Raises:
        UserError: the model reads backwards too.
    """
    streams = [_Stream(member) for member in find_members(model) or [model]]
    for time, frame in frames:
        predicted = [stream(frame) for stream in streams]
        yield (
            time,
            {
                output: np.mean([each[output] for each in predicted], axis=0)
                for output in predicted[0]
            },
        )


class _Stream:
    """A model that reads a video frame by frame: what it remembers between two frames.

    Args:
        model: of `build_frame_labeler`, reading forwards.
    """

    def __init__(self, model: keras.Model) -> None:
        step = build_stream(model)
        self._advance = tf.function(partial(step, training=False), reduce_retracing=True)
        self._states = [tf.zeros((1, state.shape[-1])) for state in step.input["states"]]
        self._pooled = tf.zeros((1, step.input["pooled"].shape[-1]))
        self._frames = 0

    def __call__(self, frame: Array) -> dict[str, Array]:
        """The probabilities of the next frame's label and of the clip's so far."""
        self._frames += 1
        inputs = {"frames": frame[None], "states": self._states, "pooled": self._pooled}
        after = self._advance({**inputs, "number": tf.fill((1, 1), float(self._frames))})
        self._states, self._pooled = after["states"], after["pooled"]
        outputs = (output for output in (FRAME, CLIP) if output in after)
        return {output: tf.nn.softmax(after[output])[0].numpy() for output in outputs}


def _read_frames(
    path: str, frames: FrameOptions, features: FeatureOptions | None
) -> Iterator[_Frame]:
    """The sampled frames; as many are in memory as the backbone computes together."""
    backbone = None
    if features is not None:
        backbone = replace(frames.framing, size=features.image_size)
    convert = ConvertFrame(frames.framing, frames.jpeg_quality, backbone)
    converted = _convert_frames(path, frames.rate, convert)
    while batch := list(islice(converted, features.batch_size if features else 1)):
        images = [decode_pixels(frame.jpeg) for _, frame in batch]
        inputs = images
        if features is not None:
            inputs = [*features.average(np.stack([frame.pixels for _, frame in batch]))]
        for (time, _), image, model_input in zip(batch, images, inputs, strict=True):
            yield _Frame(time, image, model_input)


def _convert_frames(path: str, rate: float, convert: ConvertFrame) -> Iterator[tuple[float, Any]]:
    """Times in seconds, and what a record would store of each picture."""
    is_empty = True
    try:
        for time, shown in sample_pictures(read_video(path), rate):
            yield float(time), convert(shown)
            is_empty = False
    except BadRecord as bad:
        fix = "name another file"
        raise UserError(f"--video {path}", "a video that can be read", bad.reason, fix) from bad
    if is_empty:
        expected, got = f"a video of at least {0.5 / rate:g} s", "a shorter one"
        raise UserError(f"--video {path}", expected, got, "name a longer one")


def _format_labels(
    frames: Iterable[tuple[float, Mapping[str, Array]]], names: Names, step: float
) -> Iterator[str]:
    before: int | None = None
    probabilities: Mapping[str, Array] = {}
    for time, probabilities in frames:
        if FRAME in probabilities:
            label = int(probabilities[FRAME].argmax())
            if label != before:
                yield f"{time - step / 2:8.2f} s  {names[FRAME][label]}\n"
            before = label
    if CLIP in probabilities:
        for name, probability in _rank(probabilities[CLIP], names[CLIP]):
            yield f"clip: {name} ({probability:.1%})\n"


def _list_segments(probabilities: Array, names: Sequence[str], step: float) -> Iterator[Segment]:
    for first, last, label in find_segments(probabilities.argmax(axis=1)):
        probability = float(probabilities[first:last, label].mean())
        yield Segment(first * step, last * step, names[label], probability)


def _rank(probabilities: Array, names: Sequence[str]) -> list[Answer]:
    order = np.argsort(-probabilities, kind="stable")[:_TOP]
    return [Answer(names[place], float(probabilities[place])) for place in order]
