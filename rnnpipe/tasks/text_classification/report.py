"""The report items of text classification: scores, confusions, calibration, shaded texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rnnpipe.metrics.classification import count_confusions
from rnnpipe.report.classification import (
    calibrate,
    list_answers,
    pick_samples,
    sample_title,
    tabulate_classes,
    tabulate_confusions,
    tabulate_scores,
)
from rnnpipe.report.items import Gallery, ReportItem, Sample, Span
from rnnpipe.report.text_heatmap import LEGEND, attention_spans
from rnnpipe.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import keras

Row = Mapping[str, Any]
Keep = Literal["start", "end"]

_BASELINES = {"bag_of_words": "bag of words", "majority": "majority"}


def make_report_items(
    model: keras.Model,
    rows: Sequence[Row],
    names: Sequence[str],
    probabilities: np.ndarray,
    scores: Mapping[str, float],
    tokenizer: Tokenizer,
    keep: Keep,
) -> list[ReportItem]:
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
    right, wrong = pick_samples(probabilities, labels)

    def gallery(title: str, note: str, chosen: Sequence[int]) -> Gallery:
        samples = []
        for i in chosen:
            alignments = find_alignments(model, rows[i]["tokens"])
            spans = highlight_text(alignments, rows[i], tokenizer, keep)
            samples.append(_make_sample(rows[i], names, probabilities[i], spans))
        shaded = "alignments" in model.output
        return Gallery(title, f"{note} {LEGEND if shaded else ''}".strip(), samples)

    return [
        tabulate_scores(scores, _BASELINES),
        tabulate_classes(
            "By class", np.bincount(labels, minlength=len(names)), names, scores, what="texts"
        ),
        tabulate_confusions(
            "Classes taken for each other",
            count_confusions(probabilities, labels),
            names,
            of="text",
        ),
        calibrate(probabilities, labels, what="texts"),
        gallery("Right answers", "From every class in turn.", right),
        gallery("Worst errors", "Wrong answers of which the model was surest.", wrong),
    ]


def find_alignments(model: keras.Model, tokens: Sequence[int]) -> np.ndarray | None:
    """The attention over the tokens of one text, `(glimpses, tokens)`.

    Args:
        model: gives `alignments` where it attends; else there are none.
        tokens: of the text.
    """
    output = model(np.array([tokens], "int32"))
    return np.asarray(output["alignments"])[0] if "alignments" in output else None


def highlight_text(
    alignments: np.ndarray | None, row: Row, tokenizer: Tokenizer, keep: Keep
) -> list[Span]:
    """A record's text, shaded by attention.

    Args:
        alignments: `(glimpses, tokens)`; None: nothing is shaded.
        row: `text` and `tokens`.
        tokenizer: made the tokens of the text.
        keep: which part of a text that was cut the tokens are.
    """
    tokens, pieces = row["tokens"], tokenizer.split(row["text"])
    cut = len(pieces) > len(tokens)
    pieces = pieces[: len(tokens)] if keep == "start" else pieces[-len(tokens) :]
    spans, more = attention_spans(pieces, alignments), [Span(" …")] * cut
    return [*spans, *more] if keep == "start" else [*more, *spans]


def _make_sample(
    row: Row, names: Sequence[str], probabilities: np.ndarray, spans: list[Span]
) -> Sample:
    label, predicted = names[row["label"]], names[int(probabilities.argmax())]
    return Sample(
        title=sample_title(predicted, label),
        subtitle=row["text_id"],
        right=predicted == label,
        spans=spans,
        answers=list_answers(probabilities, names, label),
    )
