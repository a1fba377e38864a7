"""Evaluation of frame and clip labels beside a model without recurrence."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.metrics.classification import score_classes
from rnnpipe.metrics.ranking import mean_average_precision, top_k_accuracy
from rnnpipe.models.frame_labeler import CLIP, FRAME
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.network import Function, make_function, softmax
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.video_labeling.labels import (
    MAJORITY,
    Array,
    LabelProbabilities,
    Row,
    find_segments,
    guess_majority,
    label_names,
    labeled_clips,
    labeled_frames,
    read_rows,
)
from rnnpipe.tasks.video_labeling.report import make_report_items

TOP = 5
_OF_BASELINES = ("accuracy", "top5", "macro_f1", "map", "log_loss", "calibration_error")


def evaluate(
    model: keras.Model,
    records: RecordsDirectory,
    split: str,
    inputs: tf.data.Dataset,
    baselines: Mapping[str, keras.Model],
) -> Evaluation:
    """Scores a model and its baselines on a split.

    Args:
        model: gives the logits `frame` and `clip`, or one of them.
        records: the records.
        split: which of their splits.
        inputs: batches of {`frames`, `frame_index`} in the records' order.
        baselines: models like it by name; the majority label is added to them.
    """
    names, rows = label_names(records), read_rows(records, split)
    predicted = label_videos(make_function(model), inputs)
    others = {
        name: label_videos(make_function(baseline), inputs) for name, baseline in baselines.items()
    }
    others[MAJORITY] = guess_majority(read_rows(records, "train"), rows, names)
    scores = score(predicted, rows, names)
    for name, baseline in others.items():
        of_baseline = score(baseline, rows, names)
        scores |= {
            f"baseline/{name}/{output}_{metric}": of_baseline[f"{output}_{metric}"]
            for output in names
            for metric in _OF_BASELINES
            if f"{output}_{metric}" in of_baseline
        }
    report_items = make_report_items(records, split, rows, predicted, others, names, scores)
    return Evaluation(scores, _describe_predictions(rows, predicted, names), report_items)


def score_network(
    call: Function, records: RecordsDirectory, split: str, inputs: tf.data.Dataset
) -> dict[str, float]:
    """The scores of a network on a split, without baselines, see `evaluate`."""
    return score(label_videos(call, inputs), read_rows(records, split), label_names(records))


def label_videos(call: Function, inputs: tf.data.Dataset) -> LabelProbabilities:
    """The probabilities of all labels, batch by batch."""
    frames: list[Array] = []
    clips: list[Array] = []
    for batch in inputs:
        outputs = call(batch)
        lengths = np.sum(batch["frame_index"].numpy() >= 0, axis=1)
        if FRAME in outputs:
            each = softmax(outputs[FRAME])
            frames += [values[:length] for values, length in zip(each, lengths, strict=True)]
        if CLIP in outputs:
            clips.append(softmax(outputs[CLIP]))
    return LabelProbabilities(frames, np.concatenate(clips) if clips else None)


def score(
    predicted: LabelProbabilities, rows: Sequence[Row], names: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """All scores: those of frames begin with `frame_`, those of clips with `clip_`.

    Each has what `score_classes` says, `map` and, of more than five classes, `top5`. What has no
    label is not scored.

    Raises:
        UserError: nothing has a label.
    """
    picked = {}
    if FRAME in names:
        picked[FRAME] = labeled_frames(predicted.frames, rows)
    if CLIP in names and predicted.clips is not None:
        picked[CLIP] = labeled_clips(predicted.clips, rows)
    scores: dict[str, float] = {}
    for output, (probabilities, labels) in picked.items():
        if not len(labels):
            expected, fix = f"videos with a label for the {output}", "evaluate another split"
            raise UserError("evaluate.splits", expected, "none in one of them", fix)
        by_metric = score_classes(probabilities, labels, names[output])
        by_metric["map"] = mean_average_precision(probabilities, labels)
        if len(names[output]) > TOP:
            by_metric["top5"] = top_k_accuracy(probabilities, labels, TOP)
        scores |= {f"{output}_{metric}": value for metric, value in by_metric.items()}
    return scores


def _describe_predictions(
    rows: Sequence[Row], predicted: LabelProbabilities, names: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    described = []
    for number, row in enumerate(rows):
        each: dict[str, Any] = {"video_id": row["video_id"], "frames": len(row["frame_times"])}
        if FRAME in names:
            labels = predicted.frames[number].argmax(axis=1)
            each["frame_labels"] = _name_segments(row["frame_labels"], names[FRAME])
            each["frame_predictions"] = _name_segments(labels, names[FRAME])
        if CLIP in names and predicted.clips is not None:
            label = row["clip_label"]
            each["clip_label"] = names[CLIP][label] if label >= 0 else None
            each["clip_prediction"] = names[CLIP][int(predicted.clips[number].argmax())]
        described.append(each)
    return described


def _name_segments(labels: Any, names: Sequence[str]) -> list[list[Any]]:
    """Runs of frames: the first one, the one after the last, the name of their label."""
    return [
        [start, end, names[label] if label >= 0 else None]
        for start, end, label in find_segments(labels)
    ]
