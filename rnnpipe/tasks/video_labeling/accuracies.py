"""How many labels of a video are right, by its row of predictions."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def count_frames(row: Row) -> tuple[int, int] | None:
    """The right and the labeled frames of a video; None where no frame has a label.

    Example:
        >>> labels, predicted = [[0, 2, "left"], [2, 4, None]], [[0, 1, "left"], [1, 4, "right"]]
        >>> count_frames({"frame_labels": labels, "frame_predictions": predicted})
        (1, 2)
    """
    pairs = zip(_expand(row["frame_labels"]), _expand(row["frame_predictions"]), strict=True)
    right = [label == predicted for label, predicted in pairs if label is not None]
    return (sum(right), len(right)) if right else None


def count_clips(row: Row) -> tuple[int, int] | None:
    """Whether the clip has the right label, and 1; None where it has none."""
    label = row.get("clip_label")
    return None if label is None else (int(label == row["clip_prediction"]), 1)


def _expand(segments: Sequence[Sequence[Any]]) -> list[str | None]:
    """A label for each frame."""
    return [label for start, end, label in segments for _ in range(start, end)]
