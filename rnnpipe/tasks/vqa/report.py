"""The report items of VQA: scores by kind of question, and answers with their attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.metrics.vqa import normalize_answer, vqa_accuracy
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.classification import show_samples
from rnnpipe.report.image_heatmap import LEGEND, draw_attention, draw_image
from rnnpipe.report.items import Answer, Confusion, Picture, ReportItem, Sample, Table
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.tasks.vqa.inputs import make_inputs
from rnnpipe.tasks.vqa.results import TopAnswers

if TYPE_CHECKING:
    import keras


Row = Mapping[str, Any]

_SAMPLES = 10
_CONFUSED_ANSWERS = 14
_METRIC = "vqa_accuracy"
_MODELS = {
    "model": "",
    "blank image": "baseline/blank_image/",
    "most frequent of its kind": "baseline/most_frequent_per_question_type/",
    "most frequent": "baseline/most_frequent/",
}


def make_report_items(
    model: keras.Model,
    records: RecordsDirectory,
    split: str,
    rows: Sequence[Row],
    answers: TopAnswers,
    scores: Mapping[str, float],
    *,
    image_field: str,
) -> list[ReportItem]:
    """Tables by kind, the confusion of frequent answers, galleries of right and wrong ones."""
    texts = np.array(records.answers, dtype=object)[answers.ids]  # (questions, top)
    accuracies = np.array(
        [vqa_accuracy(text, row["answers"]) for text, row in zip(texts[:, 0], rows, strict=True)]
    )
    right = _spread(np.flatnonzero(accuracies == 1), rows)
    wrong = np.flatnonzero(accuracies == 0)
    wrong = wrong[np.argsort(-answers.probabilities[wrong, 0], kind="stable")][:_SAMPLES].tolist()
    inputs = read_inputs(records, split, image_field, [*right, *wrong])
    samples = {
        index: _make_sample(
            rows[index],
            image,
            np.asarray(model(given)["alignments"])[0],
            texts[index],
            answers.probabilities[index],
        )
        for index, image, given in inputs
    }
    return [
        _table("By kind of question", "question_type", rows, scores),
        _table("By type of answer", "answer_type", rows, scores),
        _confusion(rows, texts[:, 0]),
        *show_samples(
            [samples[i] for i in right],
            [samples[i] for i in wrong],
            legend=LEGEND,
            turns="kind of question",
        ),
    ]


def _spread(candidates: Iterable[int], rows: Sequence[Row]) -> list[int]:
    """A few of the candidates: each kind of question in turn, each image once."""
    waiting: dict[str, list[int]] = {}
    for index in map(int, candidates):
        waiting.setdefault(rows[index]["question_type"], []).append(index)
    chosen: list[int] = []
    shown: set[int] = set()
    while waiting and len(chosen) < _SAMPLES:
        for kind, indices in list(waiting.items()):
            fresh = [index for index in indices if rows[index]["image_id"] not in shown]
            if not fresh:
                del waiting[kind]
            elif len(chosen) < _SAMPLES:
                chosen.append(fresh[0])
                shown.add(rows[fresh[0]]["image_id"])
    return chosen


def _table(title: str, by: str, rows: Sequence[Row], scores: Mapping[str, float]) -> Table:
    counts = Counter(str(row[by]) for row in rows)
    return Table(
        title,
        (by.replace("_", " "), "questions", *_MODELS),
        [
            (
                kind,
                count,
                *(scores[f"{prefix}{_METRIC}/{by}/{kind}"] for prefix in _MODELS.values()),
            )
            for kind, count in counts.most_common(20)
        ],
        note="VQA accuracy" + (", the 20 most frequent kinds" if len(counts) > 20 else ""),
        highlight="model",
    )


def _confusion(rows: Sequence[Row], predictions: Iterable[str]) -> Confusion:
    given = [Counter(map(normalize_answer, row["answers"])).most_common(1)[0][0] for row in rows]
    labels = [answer for answer, _ in Counter(given).most_common(_CONFUSED_ANSWERS)]
    pairs = Counter(zip(given, predictions, strict=True))
    return Confusion(
        "Frequent answers",
        labels,
        [[pairs[right, said] for said in labels] for right in labels],
        note="The most frequent human answer against the model's.",
    )


def read_inputs(
    records: RecordsDirectory, split: str, image_field: str, chosen: Iterable[int]
) -> Iterator[tuple[int, np.ndarray, dict[str, np.ndarray]]]:
    """The position, the pixels and a model's inputs of some records of a split.

    Args:
        records: the records.
        split: which of their splits.
        image_field: what the model reads of an image.
        chosen: the positions of the records.
    """
    wanted = set(map(int, chosen))
    fields = dict.fromkeys(["image_jpeg", image_field, "question_tokens"])
    for index, record in enumerate(records.read(split, list(fields))):
        if index in wanted:
            pixels = decode_jpeg(record["image_jpeg"])
            image = pixels if image_field == "image_jpeg" else record[image_field]
            yield index, pixels, make_inputs(image, record["question_tokens"])


def _make_sample(
    row: Row,
    image: np.ndarray,
    alignments: np.ndarray,
    texts: Sequence[str],
    probabilities: Sequence[float],
) -> Sample:
    people = Counter(map(str, row["answers"])).most_common()
    score = vqa_accuracy(texts[0], row["answers"])
    glimpses = [
        Picture(draw_attention(image, alignment), f"glimpse {number}")
        for number, alignment in enumerate(alignments, start=1)
    ]
    return Sample(
        title=row["question"],
        subtitle=row["question_type"],
        right=score > 0,
        score=score,
        pictures=(Picture(draw_image(image), "image"), *glimpses),
        answers=[
            Answer(text, float(probability), vqa_accuracy(text, row["answers"]) > 0)
            for text, probability in zip(texts, probabilities, strict=True)
        ],
        facts=(("people answered", ", ".join(f"{text} ({n})" for text, n in people)),),
    )
