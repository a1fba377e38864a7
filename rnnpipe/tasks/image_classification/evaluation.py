"""Evaluation of a glimpse reader beside its encoder, pooled, and the majority class."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from rnnpipe.metrics.classification import guess_by_frequency, score_classes
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.classification import OF_BASELINES
from rnnpipe.report.ranking import rank
from rnnpipe.tasks.image_classification.drawing import glimpse_centers
from rnnpipe.tasks.image_classification.report import make_report_items
from rnnpipe.tasks.network import Function, make_function, softmax
from rnnpipe.tasks.results import Evaluation

_MAJORITY = "majority"


def evaluate(
    model: keras.Model,
    records: RecordsDirectory,
    split: str,
    images: Iterable[Any],
    baselines: Mapping[str, keras.Model],
) -> Evaluation:
    """Scores a model and its baselines on a split.

    Args:
        model: gives `logits` and `alignments`.
        records: the records.
        split: which of their splits.
        images: batches of images in the records' order.
        baselines: trained models by name; the majority class is added to them.
    """
    names = records.labels
    # Without the images: all of a split need not fit into memory.
    rows = list(records.read(split, ["image_name", "label"]))
    labels = np.array([row["label"] for row in rows])
    probabilities, alignments = classify_images(make_function(model), images)
    scores = score_classes(probabilities, labels, names)
    others = {
        name: classify_images(make_function(baseline), images)[0]
        for name, baseline in baselines.items()
    }
    others[_MAJORITY] = guess_by_frequency(_count_training(records), len(rows))
    for name, predicted in others.items():
        baseline_scores = score_classes(predicted, labels, names)
        scores |= {f"baseline/{name}/{metric}": baseline_scores[metric] for metric in OF_BASELINES}
    scores["attended_cells"] = _count_cells(alignments)
    titles = {name: f"{name}, pooled" for name in baselines} | {_MAJORITY: _MAJORITY}
    items = make_report_items(records, split, labels, probabilities, alignments, scores, titles)
    predictions = _describe_predictions(rows, names, probabilities, alignments)
    return Evaluation(scores, predictions, items)


def score_network(
    call: Function, records: RecordsDirectory, split: str, images: Iterable[Any]
) -> dict[str, float]:
    """The scores of a network on a split, without baselines, see `evaluate`."""
    labels = [row["label"] for row in records.read(split, ["label"])]
    return score_classes(classify_images(call, images)[0], labels, records.labels)


def classify_images(call: Function, images: Iterable[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities and alignments of images, batch by batch.

    Args:
        call: gives `logits`, and `alignments` if the network attends.
        images: batches `(batch, height, width, channels)`.

    Returns:
        Probabilities `(images, classes)`, and alignments `(images, steps, rows, columns)` or an
        empty array.
    """
    outputs = [call({"image": batch}) for batch in images]
    alignments = [
        batch.get("alignments", np.zeros((len(batch["logits"]), 0, 0, 0))) for batch in outputs
    ]
    probabilities = np.concatenate([softmax(batch["logits"]) for batch in outputs])
    return probabilities, np.concatenate(alignments)


def _count_training(records: RecordsDirectory) -> list[int]:
    """How many training records each class has."""
    histogram = records.stats["splits"]["train"]["histograms"]["label"]
    return [histogram.get(str(label), 0) for label in range(len(records.labels))]


def _count_cells(alignments: np.ndarray) -> float:
    """The mean number of different cells that are the maximum of a glimpse."""
    strongest = alignments.reshape(*alignments.shape[:2], -1).argmax(axis=-1)
    return float(np.mean([len(set(cells)) for cells in strongest.tolist()]))


def _describe_predictions(
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    probabilities: np.ndarray,
    alignments: np.ndarray,
) -> list[dict[str, Any]]:
    described = []
    for row, predicted, glimpses in zip(rows, probabilities, alignments, strict=True):
        top = rank(predicted, names)
        described.append(
            {
                "image_name": row["image_name"],
                "label": names[row["label"]],
                "prediction": top[0][0],
                "top": [[name, round(probability, 4)] for name, probability in top],
                "path": [
                    [round(float(x), 3), round(float(y), 3)] for x, y in glimpse_centers(glimpses)
                ],
            }
        )
    return described
