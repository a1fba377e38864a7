"""The report items of image classification: scores, confusions, and paths of glimpses."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnpipe.metrics.classification import count_confusions
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.classification import (
    calibrate,
    list_answers,
    pick_samples,
    sample_title,
    tabulate_classes,
    tabulate_confusions,
    tabulate_scores,
)
from rnnpipe.report.image_heatmap import LEGEND as VEIL
from rnnpipe.report.image_heatmap import draw_attention
from rnnpipe.report.items import Gallery, Picture, ReportItem, Sample
from rnnpipe.tasks.image_classification.drawing import LEGEND, draw_glimpse_path
from rnnpipe.tasks.image_inputs import decode_pixels


def make_report_items(
    records: RecordsDirectory,
    split: str,
    labels: np.ndarray,
    probabilities: np.ndarray,
    alignments: np.ndarray,
    scores: Mapping[str, float],
    baselines: Mapping[str, str],
) -> list[ReportItem]:
    """Tables of scores and classes, calibration, and images with the path of the glimpses.

    Args:
        records: the records.
        split: which of their splits.
        labels: of its records, `(images,)`.
        probabilities: `(images, classes)`, the model's.
        alignments: `(images, steps, rows, columns)`.
        scores: of the model and of the baselines.
        baselines: the title of each, by its name.
    """
    names = records.labels
    right, wrong = pick_samples(probabilities, labels)
    samples = {}
    for index, record in enumerate(records.read(split)):
        if index in {*right, *wrong}:
            samples[index] = _make_sample(record, names, probabilities[index], alignments[index])
    return [
        tabulate_scores(scores, baselines),
        tabulate_classes(
            "By class", np.bincount(labels, minlength=len(names)), names, scores, what="images"
        ),
        tabulate_confusions(
            "Classes taken for each other",
            count_confusions(probabilities, labels),
            names,
            of="image",
        ),
        calibrate(probabilities, labels, what="images"),
        Gallery(
            "Right answers",
            f"From every class in turn. {LEGEND} {VEIL}",
            [samples[i] for i in right],
        ),
        Gallery(
            "Worst errors",
            f"Wrong answers of which the model was surest. {LEGEND} {VEIL}",
            [samples[i] for i in wrong],
        ),
    ]


def _make_sample(
    record: Mapping[str, Any],
    names: Sequence[str],
    probabilities: np.ndarray,
    alignments: np.ndarray,
) -> Sample:
    image = decode_pixels(record["image_jpeg"])
    label, predicted = names[record["label"]], names[int(probabilities.argmax())]
    glimpses = [
        Picture(draw_attention(image, alignment), f"glimpse {number}")
        for number, alignment in enumerate(alignments, start=1)
    ]
    return Sample(
        title=sample_title(predicted, label),
        subtitle=record["image_name"],
        right=predicted == label,
        pictures=(
            Picture(draw_glimpse_path(image, alignments), "the path of the glimpses"),
            *glimpses,
        ),
        answers=list_answers(probabilities, names, label),
    )
