"""What the report shows of an evaluation: scores, confusions, calibration, and shaded texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rnnpipe.metrics.classification import count_confusions, make_bins
from rnnpipe.tasks.classes import tabulate_classes, tabulate_confusions
from rnnpipe.tasks.exhibits import (
    Answer,
    Calibration,
    Exhibit,
    Gallery,
    Sample,
    Span,
    Table,
)
from rnnpipe.tasks.words import LEGEND, shade
from rnnpipe.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import keras

Row = Mapping[str, Any]
Keep = Literal["start", "end"]

_SAMPLES = 10
_ANSWERS = 3
_METRICS = {
    "accuracy": "accuracy",
    "macro F1": "macro_f1",
    "log loss": "log_loss",
    "calibration error": "calibration_error",
}
_MODELS = {
    "model": "",
    "bag of words": "baseline/bag_of_words/",
    "majority": "baseline/majority/",
}


def make_exhibits(
    model: keras.Model,
    rows: Sequence[Row],
    names: Sequence[str],
    probabilities: np.ndarray,
    scores: Mapping[str, float],
    tokenizer: Tokenizer,
    keep: Keep,
) -> list[Exhibit]:
    """Tables of scores, the confusion of classes, calibration, galleries of right and wrong texts.

    Args:
        model: gives `logits`, and `alignments` where it attends.
        rows: the records.
        names: of the classes.
        probabilities: `(texts, classes)`, the model's.
        scores: of the model and of the baselines.
        tokenizer: which the records were made with.
        keep: which part of a text that was cut is in the records.
    """
    labels = np.array([row["label"] for row in rows])
    given, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = _spread(np.flatnonzero(given == labels), labels)
    wrong = np.flatnonzero(given != labels)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")][:_SAMPLES]

    def gallery(title: str, note: str, chosen: Sequence[int] | np.ndarray) -> Gallery:
        samples = [
            _make_sample(rows[i], names, probabilities[i], see(model, rows[i], tokenizer, keep))
            for i in chosen
        ]
        shaded = "alignments" in model.output
        return Gallery(title, f"{note} {LEGEND if shaded else ''}".strip(), samples)

    return [
        _tabulate_scores(scores),
        tabulate_classes(
            "By class", np.bincount(labels, minlength=len(names)), names, scores, what="texts"
        ),
        tabulate_confusions(
            "Classes taken for each other",
            count_confusions(probabilities, labels),
            names,
            of="text",
        ),
        _calibrate(probabilities, labels),
        gallery("Right answers", "From every class in turn.", right),
        gallery("Worst errors", "Wrong answers of which the model was surest.", wrong),
    ]


def see(model: keras.Model, row: Row, tokenizer: Tokenizer, keep: Keep) -> list[Span]:
    """A record's text, shaded by what the model looked at.

    Args:
        model: gives `alignments` where it attends.
        row: `text` and `tokens`.
        tokenizer: made the tokens of the text.
        keep: which part of a text that was cut the tokens are.
    """
    tokens, pieces = row["tokens"], tokenizer.split(row["text"])
    cut = len(pieces) > len(tokens)
    pieces = pieces[: len(tokens)] if keep == "start" else pieces[-len(tokens) :]
    output = model(np.array([tokens], "int32"))
    alignments = np.asarray(output["alignments"])[0] if "alignments" in output else None
    spans, more = shade(pieces, alignments), [Span(" …")] * cut
    return [*spans, *more] if keep == "start" else [*more, *spans]


def _tabulate_scores(scores: Mapping[str, float]) -> Table:
    return Table(
        "Scores beside the baselines",
        ("", *_METRICS),
        [
            (model, *(scores[f"{prefix}{metric}"] for metric in _METRICS.values()))
            for model, prefix in _MODELS.items()
        ],
        note="The log loss is in nats. The calibration error is by how much the model's confidence "
        "and its accuracy differ, on average.",
        highlight=0,
    )


def _calibrate(probabilities: np.ndarray, labels: np.ndarray) -> Calibration:
    return Calibration(
        "How far the model's confidence can be trusted",
        [
            (each.confidence, each.accuracy, each.count)
            for each in make_bins(probabilities, labels)
            if each.count
        ],
        note="Texts of which the model was about equally sure, against the share that it got right;"
        " the area of a circle is the number of texts. On the dashed line a model is right as often"
        " as it is sure; below it, it is too sure.",
    )


def _spread(candidates: np.ndarray, labels: np.ndarray) -> list[int]:
    """A few of the candidates, one of each class in turn."""
    place: dict[int, int] = {}
    turns = []
    for index in candidates.tolist():
        turn = place.setdefault(int(labels[index]), 0)
        place[int(labels[index])] += 1
        turns.append((turn, int(labels[index]), index))
    return [index for _, _, index in sorted(turns)[:_SAMPLES]]


def _make_sample(
    row: Row, names: Sequence[str], probabilities: np.ndarray, spans: list[Span]
) -> Sample:
    order = np.argsort(-probabilities, kind="stable")
    label, said = row["label"], int(order[0])
    return Sample(
        title=names[label] if said == label else f"{names[said]}, but it is {names[label]}",
        subtitle=row["text_id"],
        right=said == label,
        spans=spans,
        answers=[
            Answer(names[c], float(probabilities[c]), bool(c == label)) for c in order[:_ANSWERS]
        ],
    )
