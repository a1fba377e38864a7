"""The report items of translation: scores by length, and translations with alignments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from rnnpipe.metrics.translation import BleuTokenizer, describe_metrics, length_bin, score_sentence
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.report.alignment_heatmap import ALIGNMENT_LEGEND, draw_alignment, join_pieces
from rnnpipe.report.items import Answer, Gallery, Picture, ReportItem, Sample, Table
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.translation.results import TranslatedSplit
from rnnpipe.text.tokenizer import Tokenizer

_SAMPLES = 8
_METRICS = ("bleu", "chrf", "exact")


def make_report_items(
    records: RecordsDirectory,
    translated: TranslatedSplit,
    scores: Mapping[str, float],
    *,
    lowercase: bool,
    bleu_tokenizer: BleuTokenizer,
) -> list[ReportItem]:
    """All scores with their signatures, scores by length, galleries of right and bad ones."""
    chrf = np.array(
        [
            score_sentence(texts[0], row["target"], lowercase=lowercase)
            for texts, row in zip(translated.texts, translated.rows, strict=True)
        ]
    )
    lengths = np.array([len(row["source"].split()) for row in translated.rows])
    # Of equally good ones the longer are the harder; the worst are those of some length.
    best = np.lexsort((-lengths, -chrf))[:_SAMPLES].tolist()
    worst = np.lexsort((-lengths, chrf))[:_SAMPLES].tolist()
    tokenizers = tuple(Tokenizer.load(records.path / side) for side in (SOURCE, TARGET))

    def samples(indices: Sequence[int]) -> list[Sample]:
        return [_sample(translated, i, float(chrf[i]), tokenizers, lowercase) for i in indices]

    note = f"By the chrF of the sentence. {ALIGNMENT_LEGEND}"
    return [
        _all_scores(scores, describe_metrics(lowercase=lowercase, tokenize=bleu_tokenizer)),
        _by_length(translated, scores),
        Gallery("Best translations", note, samples(best)),
        Gallery("Worst translations", note, samples(worst)),
    ]


def alignment_picture(
    source: Sequence[int], translation: Hypothesis, tokenizers: Sequence[Tokenizer]
) -> bytes:
    """A heat map of source words by the words of a translation.

    Args:
        source: the tokens of the source.
        translation: its translation.
        tokenizers: of source and target.
    """
    pieces = [
        [tokenizer.pieces[token] for token in tokens]
        for tokenizer, tokens in zip(tokenizers, (source, translation.tokens), strict=True)
    ]
    if not translation.tokens:  # an empty translation: the picture has one empty row
        return draw_alignment(*join_pieces(np.zeros((1, len(source))), pieces[0], ["∅"]))
    return draw_alignment(*join_pieces(translation.alignment, *pieces))


def _all_scores(scores: Mapping[str, float], signatures: Mapping[str, str]) -> Table:
    rows = [("model", "")]
    names = {name.split("/")[1] for name in scores if name.startswith("baseline/")}
    rows += [(f"baseline: {name.replace('_', ' ')}", f"baseline/{name}/") for name in sorted(names)]
    return Table(
        "Scores of the translations",
        ("", *_METRICS, "perplexity"),
        [
            (
                label,
                *(scores[f"{prefix}{metric}"] for metric in _METRICS),
                scores["perplexity"] if not prefix else None,
            )
            for label, prefix in rows
        ],
        note="; ".join(f"{name}: {signature}" for name, signature in signatures.items()),
        highlight=0,
    )


def _by_length(translated: TranslatedSplit, scores: Mapping[str, float]) -> Table:
    main = zip(translated.rows, translated.counted, strict=True)
    counts = Counter(length_bin(row["source"]) for row, used in main if used)
    ordered = sorted(counts, key=lambda label: int(re.split(r"\D", label)[0]))
    groups = [(label, f"/source_words/{label}", counts[label]) for label in ordered]
    unseen = translated.known.count(False)
    groups.append(("longer than all of training", "/unseen_lengths", unseen))
    return Table(
        "By words of the source",
        ("words", "sentences", *_METRICS),
        [
            (label, count, *(scores[f"{metric}{group}"] for metric in _METRICS))
            for label, group, count in groups
            if f"bleu{group}" in scores
        ],
    )


def _sample(
    translated: TranslatedSplit,
    index: int,
    chrf: float,
    tokenizers: Sequence[Tokenizer],
    lowercase: bool,
) -> Sample:
    row, hypotheses = translated.rows[index], translated.hypotheses[index]
    reference = row["target"].lower() if lowercase else row["target"]
    texts = translated.texts[index]
    best = texts[0].lower() if lowercase else texts[0]
    return Sample(
        title=row["source"],
        right=best == reference,
        score=chrf,
        pictures=[
            Picture(alignment_picture(row["source_tokens"], one, tokenizers), "alignment")
            for one in hypotheses[:1]
        ],
        answers=[
            Answer(text, one.probability, (text.lower() if lowercase else text) == reference)
            for text, one in zip(texts, hypotheses, strict=False)
        ],
        facts=(("reference", row["target"]),),
    )
