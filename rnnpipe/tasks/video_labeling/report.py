"""The report items of video labeling: scores, confusions, and film strips with timelines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rnnpipe.models.frame_labeler import CLIP, FRAME
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.classification import report_classes
from rnnpipe.report.items import Figure, Picture, ReportItem, Table
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.tasks.video_labeling.drawing import draw_timeline
from rnnpipe.tasks.video_labeling.labels import (
    FRAMES_JPEG,
    MAJORITY,
    Array,
    LabelProbabilities,
    Row,
    labeled_clips,
    labeled_frames,
    pick_evenly,
)

_SHOWN = 3  # film strips of each sort
_METRICS = {
    "accuracy": "accuracy",
    "in top 5": "top5",
    "macro F1": "macro_f1",
    "mAP": "map",
    "log loss": "log_loss",
}
_DRAWN = ("video_id", FRAMES_JPEG, "frame_times", "frame_labels", "clip_label")
_WHAT = {FRAME: "frames", CLIP: "clips"}


def make_report_items(
    records: RecordsDirectory,
    split: str,
    rows: Sequence[Row],
    predicted: LabelProbabilities,
    baselines: Mapping[str, LabelProbabilities],
    names: Mapping[str, Sequence[str]],
    scores: Mapping[str, float],
) -> list[ReportItem]:
    """Tables of scores and of confusions for frames and clips, and a few videos as film strips."""
    report_items: list[ReportItem] = []
    for output, label_names in names.items():
        if output == FRAME:
            probabilities, labels = labeled_frames(predicted.frames, rows)
        else:
            assert predicted.clips is not None
            probabilities, labels = labeled_clips(predicted.clips, rows)
        what = _WHAT[output]
        report_items += [
            _tabulate_scores(output, baselines, scores),
            *report_classes(
                probabilities,
                labels,
                label_names,
                scores,
                of=output,
                titles=(f"By label of {what}", f"Labels of {what} taken for each other"),
                prefix=f"{output}_",
            ),
        ]
    return report_items + _show_videos(records, split, rows, predicted, baselines, names)


def _tabulate_scores(output: str, baselines: Iterable[str], scores: Mapping[str, float]) -> Table:
    metrics = {head: name for head, name in _METRICS.items() if f"{output}_{name}" in scores}
    prefixes = {"model": ""} | {name: f"baseline/{name}/" for name in baselines}
    trained = "".join(
        f" `{name}` is the same without recurrence, trained alike: it reads each frame alone."
        for name in baselines
        if name != MAJORITY
    )
    return Table(
        f"{_WHAT[output].capitalize()}: scores beside the baselines",
        ("", *metrics),
        [
            (name, *(scores[f"{prefix}{output}_{metric}"] for metric in metrics.values()))
            for name, prefix in prefixes.items()
        ],
        note=f"The log loss is in nats.{trained}",
        highlight=0,
    )


def _show_videos(
    records: RecordsDirectory,
    split: str,
    rows: Sequence[Row],
    predicted: LabelProbabilities,
    baselines: Mapping[str, LabelProbabilities],
    names: Mapping[str, Sequence[str]],
) -> list[Figure]:
    """The first videos, and those of which the model got the least right."""
    if FRAME in names:
        shares = [_share_right(p, row) for p, row in zip(predicted.frames, rows, strict=True)]
    else:
        assert predicted.clips is not None
        labels = predicted.clips.argmax(axis=1)
        shares = [float(c == row["clip_label"]) for c, row in zip(labels, rows, strict=True)]
    worst = np.argsort(shares, kind="stable")[:_SHOWN].tolist()
    shown = [i for i in range(min(_SHOWN, len(rows))) if i not in worst]
    titles = dict.fromkeys(shown, "One of the first") | dict.fromkeys(worst, "One of the worst")
    figures = []
    for number, record in enumerate(records.read(split, _DRAWN)):
        if number in titles:
            picture = _draw(number, record, predicted, baselines, names)
            title = f"{titles[number]}: {record['video_id']}"
            figures.append(Figure(title, picture, _describe_clip(number, record, predicted, names)))
    return sorted(figures, key=lambda figure: figure.title)


def _share_right(probabilities: Array, row: Row) -> float:
    labels = np.array(row["frame_labels"])
    known = labels >= 0
    return float(np.mean(probabilities.argmax(axis=1)[known] == labels[known])) if any(known) else 1


def _draw(
    number: int,
    record: Row,
    predicted: LabelProbabilities,
    baselines: Mapping[str, LabelProbabilities],
    names: Mapping[str, Sequence[str]],
) -> Picture:
    frames = record[FRAMES_JPEG]
    strip = [decode_jpeg(frames[i]) for i in pick_evenly(len(frames))]
    lines: dict[str, Sequence[int] | Array] = {}
    if FRAME in names:
        lines = {"true": record["frame_labels"], "model": predicted.frames[number].argmax(axis=1)}
        lines |= {
            name: baseline.frames[number].argmax(axis=1)
            for name, baseline in baselines.items()
            if name != MAJORITY
        }
    png = draw_timeline(strip, record["frame_times"], lines, names.get(FRAME, ()))
    return Picture(png, f"frames of {record['video_id']} over their labels")


def _describe_clip(
    number: int, record: Row, predicted: LabelProbabilities, names: Mapping[str, Sequence[str]]
) -> str:
    if CLIP not in names or predicted.clips is None:
        return ""
    probabilities = predicted.clips[number]
    best = int(probabilities.argmax())
    note = f"The model predicts {names[CLIP][best]} for the clip ({probabilities[best]:.1%})."
    label = record["clip_label"]
    return note if label in (best, -1) else f"{note} It is {names[CLIP][label]}."
