"""The report items of image classification: scores, confusions, and paths of glimpses."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.classification import (
    make_sample,
    pick_samples,
    report_classification,
    show_samples,
)
from rnnpipe.report.image_heatmap import LEGEND as VEIL
from rnnpipe.report.image_heatmap import draw_attention
from rnnpipe.report.items import Picture, ReportItem, Sample
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.tasks.image_classification.drawing import LEGEND, draw_glimpse_path


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
        *report_classification(probabilities, labels, names, scores, baselines, of="image"),
        *show_samples(
            [samples[i] for i in right], [samples[i] for i in wrong], legend=f"{LEGEND} {VEIL}"
        ),
    ]


def _make_sample(
    record: Mapping[str, Any],
    names: Sequence[str],
    probabilities: np.ndarray,
    alignments: np.ndarray,
) -> Sample:
    image = decode_jpeg(record["image_jpeg"])
    glimpses = [
        Picture(draw_attention(image, alignment), f"glimpse {number}")
        for number, alignment in enumerate(alignments, start=1)
    ]
    path = Picture(draw_glimpse_path(image, alignments), "the path of the glimpses")
    return make_sample(
        probabilities,
        names,
        record["label"],
        subtitle=record["image_name"],
        pictures=(path, *glimpses),
    )
