"""Evaluation of text classification beside a bag of words and the majority class."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np

from rnnpipe.metrics.classification import score_classes
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.classification import OF_BASELINES
from rnnpipe.report.ranking import rank
from rnnpipe.tasks.network import Function, make_function, softmax
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.text_classification.baselines import classify_by_baselines
from rnnpipe.tasks.text_classification.report import make_report_items
from rnnpipe.text.tokenizer import Tokenizer


def evaluate(
    model: keras.Model,
    records: RecordsDirectory,
    split: str,
    tokens: Iterable[Any],
    *,
    keep: Literal["start", "end"],
) -> Evaluation:
    """Scores a model and two baselines on a split.

    The baselines are the majority class and logistic regression on words without their order.

    Args:
        model: gives `logits`, and `alignments` where it attends.
        records: the records.
        split: which of their splits.
        tokens: batches of token ids `(batch, time)` in the records' order.
        keep: which part of a text that was cut is in the records.
    """
    rows = list(records.read(split))
    names, labels = records.labels, [row["label"] for row in rows]
    tokenizer = Tokenizer.load(records.path)
    probabilities = classify_texts(make_function(model), tokens)
    baselines = classify_by_baselines(records, [row["text"] for row in rows], tokenizer.normalizer)
    scores = score_classes(probabilities, labels, names)
    for baseline, predicted in baselines.items():
        baseline_scores = score_classes(predicted, labels, names)
        scores |= {
            f"baseline/{baseline}/{metric}": baseline_scores[metric] for metric in OF_BASELINES
        }
    report_items = make_report_items(model, rows, names, probabilities, scores, tokenizer, keep)
    return Evaluation(scores, _describe_predictions(rows, names, probabilities), report_items)


def score_network(
    call: Function, records: RecordsDirectory, split: str, tokens: Iterable[Any]
) -> dict[str, float]:
    """The scores of a network on a split, without baselines, see `evaluate`."""
    labels = [row["label"] for row in records.read(split, ["label"])]
    return score_classes(classify_texts(call, tokens), labels, records.labels)


def classify_texts(call: Function, tokens: Iterable[Any]) -> np.ndarray:
    """The probabilities of the classes, `(texts, classes)`, batch by batch."""
    return np.concatenate([softmax(call({"tokens": batch})["logits"]) for batch in tokens])


def _describe_predictions(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], probabilities: np.ndarray
) -> list[dict[str, Any]]:
    described = []
    for row, predicted in zip(rows, probabilities, strict=True):
        top = rank(predicted, names)
        described.append(
            {
                "text_id": row["text_id"],
                "text": row["text"],
                "label": names[row["label"]],
                "prediction": top[0][0],
                "top": [[name, round(probability, 4)] for name, probability in top],
            }
        )
    return described
