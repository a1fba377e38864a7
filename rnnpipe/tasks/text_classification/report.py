"""The report items of text classification: scores, confusions, calibration, shaded texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnpipe.report.classification import (
    make_sample,
    pick_samples,
    report_classification,
    show_samples,
)
from rnnpipe.report.items import ReportItem, Sample
from rnnpipe.report.text_heatmap import LEGEND
from rnnpipe.tasks.text_classification.drawing import Keep, Row, highlight_text
from rnnpipe.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import keras

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

    def sample(i: int) -> Sample:
        alignments = find_alignments(model, rows[i]["tokens"])
        spans = highlight_text(alignments, rows[i], tokenizer, keep)
        subtitle = rows[i]["text_id"]
        return make_sample(probabilities[i], names, labels[i], subtitle=subtitle, spans=spans)

    legend = LEGEND if "alignments" in model.output else ""
    return [
        *report_classification(probabilities, labels, names, scores, _BASELINES, of="text"),
        *show_samples([*map(sample, right)], [*map(sample, wrong)], legend=legend),
    ]


def find_alignments(model: keras.Model, tokens: Sequence[int]) -> np.ndarray | None:
    """The attention over the tokens of one text, `(glimpses, tokens)`.

    Args:
        model: gives `alignments` where it attends; else there are none.
        tokens: of the text.
    """
    output = model(np.array([tokens], "int32"))
    return np.asarray(output["alignments"])[0] if "alignments" in output else None
