"""How well a reader in glimpses tells images apart, beside a CNN and the majority class."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.metrics.classification import guess_by_frequency, score_classes
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.classification import OF_BASELINES, rank
from rnnpipe.tasks.base import Evaluation
from rnnpipe.tasks.image_classification.drawing import find_path
from rnnpipe.tasks.image_classification.report import make_report_items

_CNN, _MAJORITY = "cnn", "majority"
_SHOWN = {_CNN: "plain CNN", _MAJORITY: "majority"}


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
    probabilities, alignments = look(model, images)
    scores = score_classes(probabilities, labels, names)
    others = {name: look(baseline, images)[0] for name, baseline in baselines.items()}
    others[_MAJORITY] = guess_by_frequency(_count_training(records), len(rows))
    for name, given in others.items():
        found = score_classes(given, labels, names)
        scores |= {f"baseline/{name}/{metric}": found[metric] for metric in OF_BASELINES}
    scores["cells_looked_at"] = _count_cells(alignments)
    shown = {name: _SHOWN.get(name, name) for name in others}
    items = make_report_items(records, split, labels, probabilities, alignments, scores, shown)
    predictions = _describe_predictions(rows, names, probabilities, alignments)
    return Evaluation(scores, predictions, items)


def look(model: keras.Model, images: Iterable[Any]) -> tuple[np.ndarray, np.ndarray]:
    """What a model says of images, batch by batch.

    Args:
        model: gives `logits`, and `alignments` where it looks.
        images: batches `(batch, height, width, channels)`.

    Returns:
        Probabilities `(images, classes)`, and alignments `(images, looks, rows, columns)` or an
        empty array.
    """

    @tf.function(reduce_retracing=True)
    def see(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = model(batch, training=False)
        nothing = tf.zeros((tf.shape(batch)[0], 0, 0, 0))
        return tf.nn.softmax(found["logits"]), found.get("alignments", nothing)

    probabilities, alignments = zip(*(see(batch) for batch in images), strict=True)
    return np.concatenate(probabilities), np.concatenate(alignments)


def _count_training(records: RecordsDirectory) -> list[int]:
    """How many training records each class has."""
    histogram = records.stats["splits"]["train"]["histograms"]["label"]
    return [histogram.get(str(label), 0) for label in range(len(records.labels))]


def _count_cells(alignments: np.ndarray) -> float:
    """How many cells of the grid got the most of a look, on average over the images."""
    strongest = alignments.reshape(*alignments.shape[:2], -1).argmax(axis=-1)
    return float(np.mean([len(set(cells)) for cells in strongest.tolist()]))


def _describe_predictions(
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    probabilities: np.ndarray,
    alignments: np.ndarray,
) -> list[dict[str, Any]]:
    described = []
    for row, given, looks in zip(rows, probabilities, alignments, strict=True):
        top = rank(given, names)
        described.append(
            {
                "image_name": row["image_name"],
                "label": names[row["label"]],
                "prediction": top[0][0],
                "top": [[name, round(probability, 4)] for name, probability in top],
                "path": [[round(float(x), 3), round(float(y), 3)] for x, y in find_path(looks)],
            }
        )
    return described
