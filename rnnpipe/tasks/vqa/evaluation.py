"""Evaluation of answers beside baselines that do not see the image."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.metrics.vqa import score_vqa, vqa_accuracy
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.network import Function, make_function
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.vqa.report import make_report_items
from rnnpipe.tasks.vqa.results import TopAnswers

_GREY = 127  # a blank image: neither dark nor bright
_KEPT = ("question_id", "image_id", "question", "question_type", "answers", "answer_type")


def evaluate(
    model: keras.Model,
    records: RecordsDirectory,
    split: str,
    inputs: tf.data.Dataset,
    *,
    image_field: str = "image_jpeg",
) -> Evaluation:
    """Scores a model and three baselines on a split.

    The baselines are the most frequent answer of the training split, the most frequent one for each
    kind of question, and the same model with a grey image in place of every image, or with zeros in
    place of its features.

    Args:
        model: gives `logits` and `alignments`.
        records: the records.
        split: which of their splits.
        inputs: batches of {`image`, `question`} in the records' order.
        image_field: the field of a record that the model reads as `image`.
    """
    # Without the images: all of a split need not fit into memory.
    rows = list(records.read(split, _KEPT))
    known = records.answers
    call = make_function(model)
    seen = answer_questions(call, inputs)
    blank = answer_questions(call, inputs.map(_blank))
    predictions = {
        "": [known[i] for i in seen.ids[:, 0]],
        "baseline/most_frequent/": [records.stats["most_frequent_answer"]] * len(rows),
        "baseline/most_frequent_per_question_type/": _by_type(records.stats, rows),
        "baseline/blank_image/": [known[i] for i in blank.ids[:, 0]],
    }
    scores: dict[str, float] = {}
    for prefix, answers in predictions.items():
        for metric, value in score_vqa(answers, rows).items():
            if not (prefix and metric == "vqa_accuracy_ceiling"):  # a property of the split
                scores[f"{prefix}{metric}"] = value
    return Evaluation(
        scores,
        _describe_predictions(rows, seen, known),
        make_report_items(model, records, split, rows, seen, scores, image_field=image_field),
    )


def score_network(
    call: Function, records: RecordsDirectory, split: str, inputs: tf.data.Dataset
) -> dict[str, float]:
    """The scores of a network on a split, without baselines, see `evaluate`."""
    answers = answer_questions(call, inputs)
    best = [records.answers[i] for i in answers.ids[:, 0]]
    return score_vqa(best, list(records.read(split, _KEPT)))


def answer_questions(call: Function, inputs: tf.data.Dataset) -> TopAnswers:
    """The likeliest answers of a network, batch by batch."""
    tops = [TopAnswers.of(call(batch)["logits"]) for batch in inputs]
    return TopAnswers(
        np.concatenate([top.ids for top in tops]),
        np.concatenate([top.probabilities for top in tops]),
    )


def _blank(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    image = batch["image"]
    if image.dtype == tf.uint8:
        return {**batch, "image": tf.fill(tf.shape(image), tf.constant(_GREY, tf.uint8))}
    return {**batch, "image": tf.zeros_like(image)}


def _by_type(stats: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    by_type = stats["most_frequent_answer_by_question_type"]
    return [by_type.get(row["question_type"], stats["most_frequent_answer"]) for row in rows]


def _describe_predictions(
    rows: Sequence[Mapping[str, Any]], answers: TopAnswers, known: Sequence[str]
) -> list[dict[str, Any]]:
    described = []
    for row, ids, probabilities in zip(rows, answers.ids, answers.probabilities, strict=True):
        top = [[known[i], round(float(p), 4)] for i, p in zip(ids, probabilities, strict=True)]
        described.append(
            {
                "question_id": row["question_id"],
                "image_id": row["image_id"],
                "question": row["question"],
                "prediction": top[0][0],
                "vqa_accuracy": vqa_accuracy(top[0][0], row["answers"]),
                "top": top,
                "answers": row["answers"],
            }
        )
    return described
