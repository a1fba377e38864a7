"""How well a model captions, beside captions that need no model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.metrics.captions import (
    CiderD,
    JavaMetric,
    find_java_metrics,
    score_captions,
    score_with_java,
    tokenize_caption,
)
from rnnpipe.metrics.scene_captions import caption_is_true
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.captioning.attention_grounding import attention_on_objects
from rnnpipe.tasks.captioning.baselines import find_baselines, without_images
from rnnpipe.tasks.captioning.report import make_report_items
from rnnpipe.tasks.captioning.results import CaptionedSplit, Row
from rnnpipe.tasks.results import Evaluation
from rnnpipe.text.tokenizer import Tokenizer


def evaluate(
    records: RecordsDirectory,
    split: str,
    hypotheses: Sequence[Sequence[Hypothesis]],
    perplexity: float,
    java_metrics: Sequence[JavaMetric],
) -> Evaluation:
    """Scores the captions of a split and those of three baselines.

    Where the records have scenes, the scores include the share of true captions, and the share of
    attention on the mentioned shapes beside that of uniform attention.

    Args:
        records: the records.
        split: which of their splits.
        hypotheses: the captions of each of its images, in the records' order.
        perplexity: of the model, on the split's captions.
        java_metrics: the scores that need Java; one that cannot be had, or whose program fails, is
            left out, with a notice.
    """
    rows, colours = map(list, zip(*without_images(records, split), strict=True))
    tokenizer = Tokenizer.load(records.path)
    texts = [[tokenizer.decode(one.tokens) for one in each] or [""] for each in hypotheses]
    # The beam of a diverged model may be empty.
    pieces = [[tokenizer.pieces[t] for t in each[0].tokens] if each else [] for each in hypotheses]
    captioned = CaptionedSplit(rows, hypotheses, texts, pieces, _rate(rows, texts))
    best = [each[0] for each in texts]
    captions = {"": best}
    for name, others in find_baselines(records, colours).items():
        captions[f"baseline/{name}/"] = others
    scores, notices = _score_each(rows, captions, java_metrics)
    scores |= {"perplexity": perplexity, "distinct_captions": len(set(best)) / len(best)}
    scores |= _measure_grounding(captioned)
    results = [
        {"image_id": row["image_id"], "caption": text} for row, text in zip(rows, best, strict=True)
    ]
    return Evaluation(
        scores,
        [_describe(captioned, place) for place in range(len(rows))],
        make_report_items(records, split, captioned, scores, notices),
        files={f"captions_{split}_results.json": json.dumps(results)},
        notices=notices,
    )


def score_hypotheses(
    records: RecordsDirectory, split: str, hypotheses: Sequence[Sequence[Hypothesis]]
) -> dict[str, float]:
    """The scores of the captions of a split, without baselines and Java, see `evaluate`."""
    rows = [row for row, _ in without_images(records, split)]
    tokenizer = Tokenizer.load(records.path)
    return score_all(
        rows, [tokenizer.decode(each[0].tokens) if each else "" for each in hypotheses]
    )


def score_all(rows: Sequence[Row], captions: Sequence[str]) -> dict[str, float]:
    """COCO's scores of a caption for each record and, of known scenes, the share that is true.

    Args:
        rows: the records.
        captions: their captions.
    """
    scores = score_captions(_references(rows), dict(enumerate(captions)))
    known = [(text, row["scene"]) for text, row in zip(captions, rows, strict=True) if row["scene"]]
    if known:
        scores["true_captions"] = float(np.mean([caption_is_true(*each) for each in known]))
    return scores


def _score_each(
    rows: Sequence[Row], captions: Mapping[str, Sequence[str]], wanted: Sequence[JavaMetric]
) -> tuple[dict[str, float], list[str]]:
    """The scores of the model and the baselines, and notices about metrics without Java."""
    scores = {
        f"{by}{metric}": score
        for by, texts in captions.items()
        for metric, score in score_all(rows, texts).items()
    }
    there, notice = find_java_metrics(wanted)
    notices = [notice] if notice else []
    for metric in there:
        try:
            scores |= {
                f"{by}{metric}": score_with_java(_references(rows), dict(enumerate(texts)), metric)
                for by, texts in captions.items()
            }
        except UserError as fault:  # the other scores must not be lost
            reason = f"expected {fault.expected}, got {fault.got}"
            notices.append(f"{metric.upper()} is missing: {reason}; repair Java and evaluate again")
    return scores, notices


def _references(rows: Sequence[Row]) -> dict[int, list[str]]:
    return {place: row["captions"] for place, row in enumerate(rows)}


def _rate(rows: Sequence[Row], texts: Sequence[Sequence[str]]) -> list[float]:
    """The CIDEr-D of each record's best caption."""
    references = [[tokenize_caption(text) for text in row["captions"]] for row in rows]
    captions = [tokenize_caption(each[0]) for each in texts]
    return [float(score) for score in CiderD(references).score(captions, references)]


def _measure_grounding(captioned: CaptionedSplit) -> dict[str, float]:
    """The attention on mentioned shapes, and that of uniform attention."""
    shares = [
        each
        for row, hypotheses, pieces in zip(
            captioned.rows, captioned.hypotheses, captioned.pieces, strict=True
        )
        if row["scene"] and pieces and hypotheses[0].alignment is not None
        for each in attention_on_objects(pieces, hypotheses[0].alignment, row["scene"])
    ]
    if not shares:
        return {}
    attended, uniform = np.mean(shares, axis=0)
    return {
        "attention_on_object": float(attended),
        "attention_on_object_if_uniform": float(uniform),
    }


def _describe(captioned: CaptionedSplit, place: int) -> dict[str, Any]:
    row, texts = captioned.rows[place], captioned.texts[place]
    described: dict[str, Any] = {
        "image_id": row["image_id"],
        "prediction": texts[0],
        "cider_d": captioned.cider_d[place],
        "captions": row["captions"],
        "n_best": [
            {"text": text, "token_probability": round(one.probability, 4)}
            for text, one in zip(texts, captioned.hypotheses[place], strict=False)
        ],
    }
    if row["scene"]:
        described["true"] = caption_is_true(texts[0], row["scene"])
    return described
