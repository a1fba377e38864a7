"""The report items of captioning: scores, and captions with the attention at every word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnpipe.metrics.scene_captions import caption_is_true
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.alignment_heatmap import join_words
from rnnpipe.report.image_heatmap import LEGEND, PANEL, draw_image, draw_strip
from rnnpipe.report.items import Answer, Gallery, Picture, ReportItem, Sample, Table
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.captioning.results import CaptionedSplit

Array = np.ndarray[Any, np.dtype[Any]]

_SAMPLES = 8
_PEOPLE = 5  # of whose captions are shown
_METRICS = {
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "rouge_l": "ROUGE-L",
    "meteor": "METEOR",
    "spice": "SPICE",
    "cider": "CIDEr",
    "cider_d": "CIDEr-D",
    "true_captions": "true",
}


def make_report_items(
    records: RecordsDirectory,
    split: str,
    captioned: CaptionedSplit,
    scores: Mapping[str, float],
    notices: Sequence[str],
) -> list[ReportItem]:
    """Tables of scores and attention grounding, and galleries of good and bad captions.

    Args:
        records: the records.
        split: which of their splits.
        captioned: its captions.
        scores: of the model and the baselines.
        notices: why some metrics are missing, if any are.
    """
    order = np.argsort(-np.array(captioned.cider_d), kind="stable").tolist()
    # Every so manieth of the better half, so that not all of them are of the easiest kind.
    good = order[: max(len(order) // 2, 1)]
    good = good[:: max(len(good) // _SAMPLES, 1)][:_SAMPLES]
    bad = [place for place in reversed(order) if place not in good][:_SAMPLES]
    samples = _make_samples(records, split, captioned, [*good, *bad])
    note = f"By CIDEr-D. {LEGEND}"
    return [
        _all_scores(scores, notices),
        *_grounding(scores),
        Gallery("Good captions", note, [samples[place] for place in good]),
        Gallery("Worst captions", note, [samples[place] for place in bad]),
    ]


def strip(image: Array, pieces: Sequence[str], caption: Hypothesis, *, panel: int = PANEL) -> bytes:
    """An image, and the attention at each word of a caption.

    Args:
        image: uint8, `(height, width, 3)`.
        pieces: the tokens of the caption as text.
        caption: the caption.
        panel: the width of each of its pictures, in pixels.
    """
    if caption.alignment is None or not pieces:
        return draw_image(image)
    return draw_strip(image, *join_words(pieces, caption.alignment), panel=panel)


def _all_scores(scores: Mapping[str, float], notices: Sequence[str]) -> Table:
    metrics = [metric for metric in _METRICS if metric in scores]
    names = list(dict.fromkeys(n.split("/")[1] for n in scores if n.startswith("baseline/")))
    rows = [("model", ""), *((f"baseline: {n.replace('_', ' ')}", f"baseline/{n}/") for n in names)]
    return Table(
        "Scores of the captions",
        ("", *(_METRICS[metric] for metric in metrics)),
        [(label, *(scores[f"{prefix}{m}"] for m in metrics)) for label, prefix in rows],
        note=" ".join(
            f"{each}." for each in ("CIDEr is CIDEr-D, as in COCO's evaluation", *notices)
        ),
        highlight=0,
    )


def _grounding(scores: Mapping[str, float]) -> list[ReportItem]:
    if "attention_on_object" not in scores:
        return []
    attended, uniform = scores["attention_on_object"], scores["attention_on_object_if_uniform"]
    note = (
        "The share of attention on the cells that a shape touches, at the words that mention it;"
        " uniform attention has the share of these cells among all."
    )
    rows = [("model", attended), ("uniform attention", uniform)]
    return [Table("Attention on mentioned objects", ("", "share"), rows, note=note, highlight=0)]


def _make_samples(
    records: RecordsDirectory, split: str, captioned: CaptionedSplit, chosen: Iterable[int]
) -> dict[int, Sample]:
    places = set(chosen)
    return {
        place: _make_sample(captioned, place, decode_jpeg(record["image_jpeg"]))
        for place, record in enumerate(records.read(split, ["image_jpeg"]))
        if place in places
    }


def _make_sample(captioned: CaptionedSplit, place: int, image: Array) -> Sample:
    row, hypotheses = captioned.rows[place], captioned.hypotheses[place]
    texts, pieces = captioned.texts[place], captioned.pieces[place]
    truths = [caption_is_true(text, row["scene"]) if row["scene"] else None for text in texts]
    return Sample(
        title=texts[0] or "(nothing)",
        right=truths[0],
        score=captioned.cider_d[place],
        pictures=[
            Picture(strip(image, pieces, hypotheses[0]), "the image, and each word of the caption")
        ]
        if hypotheses
        else [],
        answers=[
            Answer(text, one.probability, bool(truth))
            for text, one, truth in zip(texts, hypotheses, truths, strict=False)
        ],
        facts=[("someone wrote", text) for text in row["captions"][:_PEOPLE]],
    )
