"""Labels of a user's own videos, as a whole or while they are decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.models.frame_labeler import CLIP, FRAME
from rnnpipe.records.layout import CLIP_LABELS, LABELS
from rnnpipe.records.names import read_names
from rnnpipe.tasks.network import Arrays, find_limit, softmax
from rnnpipe.tasks.prediction import Answer, Prediction, Segment
from rnnpipe.tasks.predictor import Example, Predictor, Row
from rnnpipe.tasks.video_labeling.frames import read_frames
from rnnpipe.tasks.video_labeling.labels import Array, find_segments, pick_evenly
from rnnpipe.tasks.video_labeling.streaming import stream_labels
from rnnpipe.transforms.recipes.video_frames import VideoRecordOptions

_TOP = 5
_MADE_UP = 8  # frames at most

Names = Mapping[str, Sequence[str]]
"""The names of labels by output; a single name is no label to predict."""


class VideoPredictor(Predictor):
    """Labels videos, with the functions `call`, and for streams `step`, of a network.

    Args:
        folder: with the names of the labels.
        data: how the records are made.
        **predictor: the arguments of `Predictor`.
    """

    window = 1
    max_length = 1024  # frames in memory, about

    def __init__(self, folder: Path, data: VideoRecordOptions, **predictor: Any) -> None:
        super().__init__(**predictor)
        self._data = data
        names = {
            output: read_names(folder / file)
            for output, file in ((FRAME, LABELS), (CLIP, CLIP_LABELS))
        }
        self._names: Names = {output: each for output, each in names.items() if len(each) > 1}

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The sampled frames of a video, their times, and a few of them to show.

        Raises:
            UserError: the video cannot be read, or is too short.
        """
        limit = find_limit(self.network.get("call"), "frames")
        read = read_frames(inputs["video"], self._data.frames, self._data.features)
        frames = list(read if limit is None else islice(read, limit + 1))
        notes = []
        if limit is not None and len(frames) > limit:
            frames = frames[:limit]
            notes.append(f"--video: the model reads its first {limit} frames alone")
        arrays = {
            "frames": np.stack([frame.pixels for frame in frames]),
            "times": np.array([frame.time for frame in frames]),
            "strip": np.stack([frames[place].image for place in pick_evenly(len(frames))]),
        }
        return Example(arrays, inputs, length=len(frames), notes=notes)

    def make_up(self, random: np.random.Generator) -> Example:
        """Frames of noise."""
        data, length = self._data, int(random.integers(2, _MADE_UP + 1))
        size = data.frames.size if data.features is None else data.features.image_size
        frames = random.integers(0, 256, (length, size, size, 3), dtype=np.uint8)
        arrays: Arrays = {"frames": frames, "times": np.arange(length) / data.frames.rate}
        return Example(arrays, {}, length=length)

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The frames of all videos, and which are each one's, `(batch, time)`, padded with -1."""
        index = np.full((len(examples), max(e.length for e in examples)), -1, "int32")
        first = 0
        for row, example in enumerate(examples):
            index[row, : example.length] = np.arange(first, first + example.length)
            first += example.length
        frames = np.concatenate([example.arrays["frames"] for example in examples])
        return {"frames": frames, "frame_index": index}

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[Prediction]:
        """The labels of each video over time, and its likeliest classes."""
        return [
            self._answer(
                example,
                {
                    output: softmax(outputs[output][row, : example.length])
                    if output == FRAME
                    else softmax(outputs[output][row])
                    for output in self._names
                },
            )
            for row, example in enumerate(examples)
        ]

    def _answer(self, example: Example, probabilities: Mapping[str, Array]) -> Prediction:
        answers: Sequence[Answer] = ()
        timeline: list[Segment] = []
        rows = {}
        if CLIP in probabilities:
            answers = rank_labels(probabilities[CLIP], self._names[CLIP])
        if FRAME in probabilities:
            rows["model"] = probabilities[FRAME].argmax(axis=1)
            step = 1 / self._data.frames.rate
            timeline = list(_list_segments(probabilities[FRAME], self._names[FRAME], step))
        strip, times = example.arrays["strip"], example.arrays["times"]
        draw = partial(_draw, strip, times, rows, self._names.get(FRAME, ()))
        return Prediction(answers, timeline, notes=example.notes, draw=draw)

    def stream(self, inputs: Row) -> Iterator[str]:
        """Lines about a video while it is decoded: each label when it begins, and the clip's last.

        Only one frame and the network's states are in memory: a video may be of any length.

        Raises:
            UserError: the video cannot be read, or the network needs all of it at once.
        """
        path, data = self.parse(inputs)["video"], self._data
        frames = read_frames(path, data.frames, data.features)
        return self._stream((frame.time, frame.pixels) for frame in frames)

    def stream_example(self, example: Example) -> Iterator[str]:
        """The lines of `stream` for a video in memory."""
        return self._stream(zip(example.arrays["times"], example.arrays["frames"], strict=True))

    def _stream(self, frames: Iterable[tuple[float, Array]]) -> Iterator[str]:
        labels = stream_labels(self.network["step"], frames)
        return format_labels(labels, self._names, 1 / self._data.frames.rate)


def format_labels(
    frames: Iterable[tuple[float, Mapping[str, Array]]], names: Names, step: float
) -> Iterator[str]:
    """A line for each label that begins, and at the end those of the clip's likeliest labels.

    Args:
        frames: times and probabilities, see `stream_labels`.
        names: of the labels.
        step: seconds from one frame to the next.
    """
    before: int | None = None
    probabilities: Mapping[str, Array] = {}
    for time, probabilities in frames:
        if FRAME in names:
            label = int(probabilities[FRAME].argmax())
            if label != before:
                yield f"{time - step / 2:8.2f} s  {names[FRAME][label]}\n"
            before = label
    if CLIP in names and probabilities:
        for answer in rank_labels(probabilities[CLIP], names[CLIP]):
            yield f"clip: {answer.text} ({answer.probability:.1%})\n"


def rank_labels(probabilities: Array, names: Sequence[str]) -> list[Answer]:
    """The likeliest labels of a clip."""
    order = np.argsort(-probabilities, kind="stable")[:_TOP]
    return [Answer(names[place], float(probabilities[place])) for place in order]


def _list_segments(probabilities: Array, names: Sequence[str], step: float) -> Iterator[Segment]:
    for first, last, label in find_segments(probabilities.argmax(axis=1)):
        probability = float(probabilities[first:last, label].mean())
        yield Segment(first * step, last * step, names[label], probability)


def _draw(strip: Array, times: Array, rows: Mapping[str, Array], names: Sequence[str]) -> bytes:
    from rnnpipe.tasks.video_labeling.drawing import draw_timeline

    return draw_timeline(list(strip), times.tolist(), rows, names)
