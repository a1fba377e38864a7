"""How many labels of a video are right, by its row of predictions."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

Row = Mapping[str, Any]
Segment = Sequence[Any]
"""The first frame, the one after the last, and their label."""


def count_frames(row: Row) -> tuple[int, int] | None:
    """The right and the labeled frames of a video; None where no frame has a label.

    Example:
        >>> labels, predicted = [[0, 2, "left"], [2, 4, None]], [[0, 1, "left"], [1, 4, "right"]]
        >>> count_frames({"frame_labels": labels, "frame_predictions": predicted})
        (1, 2)
    """
    right = labeled = 0
    for length, label, predicted in _pair(row["frame_labels"], row["frame_predictions"]):
        if label is not None:
            labeled += length
            right += length * (label == predicted)
    return (right, labeled) if labeled else None


def count_clips(row: Row) -> tuple[int, int] | None:
    """Whether the clip has the right label, and 1; None where it has none."""
    label = row.get("clip_label")
    return None if label is None else (int(label == row["clip_prediction"]), 1)


def _pair(
    labels: Sequence[Segment], predictions: Sequence[Segment]
) -> Iterator[tuple[int, str | None, str | None]]:
    """How many frames in a row have the same label and prediction, and those.

    Raises:
        ValueError: there are not as many of both.
    """
    ends = [list(accumulate(map(_count, segments))) for segments in (labels, predictions)]
    if max(ends[0], default=0) != max(ends[1], default=0):
        raise ValueError("not as many predictions as labels of frames")
    start = 0
    for end in sorted({*ends[0], *ends[1]}):
        if end > start:
            label = labels[bisect_right(ends[0], start)][2]
            yield end - start, label, predictions[bisect_right(ends[1], start)][2]
        start = end


def _count(segment: Segment) -> int:
    start, end, _ = segment
    return max(end - start, 0)
