"""Predicted and true labels of the videos of a split."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.models.frame_labeler import CLIP, FRAME
from rnnpipe.records.directory import RecordsDirectory

Array = np.ndarray[Any, np.dtype[Any]]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LabelProbabilities:
    """The predicted probabilities for the videos of a split, in their order.

    Args:
        frames: of each video `(time, frame_labels)`; none where frames have no labels.
        clips: `(videos, clip_labels)`; None where clips have none.
    """

    frames: Sequence[Array]
    clips: Array | None


MAJORITY = "majority"
"""The baseline of `guess_majority`."""

FRAMES_JPEG, FRAME_FEATURES = "frames_jpeg", "frame_features"
"""The fields of a record with its frames: the images, and a backbone's features of them."""


def label_names(records: RecordsDirectory) -> dict[str, list[str]]:
    """The names of the labels of frames and of clips; a single name is no label to predict."""
    names = {FRAME: records.labels, CLIP: records.clip_labels}
    return {output: labels for output, labels in names.items() if len(labels) > 1}


def read_rows(records: RecordsDirectory, split: str) -> list[Row]:
    """The records of a split without their frames, which need not fit into memory."""
    fields = [name for name in records.spec.fields if name not in (FRAMES_JPEG, FRAME_FEATURES)]
    return list(records.read(split, fields))


def labeled_frames(predicted: Sequence[Array], rows: Sequence[Row]) -> tuple[Array, Array]:
    """The probabilities and the labels of all frames that have one, `(frames, labels)`."""
    labels = np.concatenate([row["frame_labels"] for row in rows]).astype(int)
    return np.concatenate(predicted)[labels >= 0], labels[labels >= 0]


def labeled_clips(predicted: Array, rows: Sequence[Row]) -> tuple[Array, Array]:
    """The probabilities and the labels of all clips that have one, `(clips, labels)`."""
    labels = np.array([row["clip_label"] for row in rows])
    return predicted[labels >= 0], labels[labels >= 0]


def guess_majority(
    training: Iterable[Row], rows: Sequence[Row], names: Mapping[str, Sequence[str]]
) -> LabelProbabilities:
    """The share of each label in training, whatever the video shows.

    Args:
        training: the training records.
        rows: of which videos to guess.
        names: of the labels.
    """
    totals = {output: np.zeros(len(labels)) for output, labels in names.items()}
    for row in training:
        for output, labels in ((FRAME, row["frame_labels"]), (CLIP, [row["clip_label"]])):
            known = [label for label in labels if label >= 0]
            if output in totals:
                totals[output] += np.bincount(known, minlength=len(totals[output]))
    shares = {output: total / max(total.sum(), 1) for output, total in totals.items()}
    frames = [
        np.tile(shares[FRAME], (len(row["frame_labels"]), 1)) for row in rows if FRAME in shares
    ]
    return LabelProbabilities(
        frames, np.tile(shares[CLIP], (len(rows), 1)) if CLIP in shares else None
    )


def find_segments(labels: Sequence[int] | Array) -> list[tuple[int, int, int]]:
    """Runs of frames with one label: the first frame, the one after the last, the label.

    Example:
        >>> find_segments([4, 4, 0, 4])
        [(0, 2, 4), (2, 3, 0), (3, 4, 4)]
    """
    segments: list[tuple[int, int, int]] = []
    for frame, label in enumerate(map(int, labels)):
        if segments and segments[-1][2] == label:
            segments[-1] = segments[-1][0], frame + 1, label
        else:
            segments.append((frame, frame + 1, label))
    return segments


def pick_evenly(count: int, most: int = 14) -> list[int]:
    """At most `most` of `count` frames, evenly spread.

    Example:
        >>> pick_evenly(10, 3)
        [1, 5, 8]
    """
    few = min(count, most)
    return [int((place + 0.5) * count / few) for place in range(few)]
