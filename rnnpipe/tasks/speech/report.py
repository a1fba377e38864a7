"""The report items of speech: scores by speaker and length, misheard words, recordings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rnnpipe.audio import make_wav
from rnnpipe.metrics.speech import score_transcripts
from rnnpipe.metrics.transcript_errors import (
    AlignedUnit,
    align_transcript,
    count_confusions,
    count_errors,
)
from rnnpipe.report.items import (
    Answer,
    Cell,
    Gallery,
    Picture,
    ReportItem,
    Sample,
    Sound,
    Span,
    Table,
)
from rnnpipe.tasks.speech.drawing import LEGEND
from rnnpipe.tasks.speech.results import RecognizedSplit
from rnnpipe.tasks.speech.transcripts import Array

_SHOWN = 4  # recordings of each gallery
_CONFUSIONS = 20
_SPEAKERS = 50
_NONE = "∅"  # no word
METRICS = ("wer", "cer", "ser")
"""The error rates that a report shows first."""

DrawRows = Callable[[Sequence[int]], Sequence[bytes]]
"""Draws the recordings of some rows, see `draw_recognition`."""

ReadSounds = Callable[[Sequence[int]], Sequence[Array | None]]
"""The samples of the recordings of some rows, int16; None where the records hold features."""


def make_report_items(
    recognized: RecognizedSplit,
    scores: Mapping[str, float],
    draw: DrawRows,
    read_sounds: ReadSounds,
    rate: int,
) -> list[ReportItem]:
    """All scores, scores by speaker and length, misheard words, the worst and first recordings.

    Args:
        recognized: the texts of a split.
        scores: theirs, see `evaluate`.
        draw: draws recordings.
        read_sounds: reads their samples.
        rate: samples per second.
    """
    counts = count_errors(recognized.best, recognized.references)
    errors = np.array([count.errors for count in counts])
    lengths = np.array([len(reference.split()) for reference in recognized.references])
    # Of equally wrong ones the shorter are the worse.
    worst = [i for i in np.lexsort((lengths, -errors))[:_SHOWN].tolist() if errors[i]]
    first = [i for i in range(min(_SHOWN, len(lengths))) if i not in worst]

    def show(rows: Sequence[int]) -> list[Sample]:
        pictures, sounds = draw(rows), read_sounds(rows)
        shown = zip(rows, pictures, sounds, strict=True)
        return [_sample(recognized, row, png, samples, rate) for row, png, samples in shown]

    return [
        _tabulate_scores(scores),
        *_tabulate_groups("By speaker", "speaker", recognized, scores),
        *_tabulate_groups("By duration", "seconds", recognized, scores),
        _tabulate_confusions(recognized),
        Gallery("Worst errors", f"Shaded: words that are wrong. {LEGEND}", show(worst), wide=True),
        Gallery("The first recordings", LEGEND, show(first), wide=True),
    ]


def _tabulate_scores(scores: Mapping[str, float]) -> Table:
    names = sorted({name.split("/")[1] for name in scores if name.startswith("baseline/")})
    rows = [("model", "")]
    rows += [(f"baseline: {name.replace('_', ' ')}", f"baseline/{name}/") for name in names]
    counts = ("substitutions", "insertions", "deletions")
    factor = scores["real_time_factor"]
    return Table(
        "Scores of the texts",
        ("", *METRICS, *counts),
        [
            (label, *(scores[f"{prefix}{metric}"] for metric in (*METRICS, *counts)))
            for label, prefix in rows
        ],
        note=(
            "Word, character and sentence error rate;"
            f" words that are wrong, too many, or missing. Real-time factor {factor:.4f}: seconds"
            " of computing for each second of sound."
        ),
        highlight=0,
    )


def _tabulate_groups(
    title: str, group: str, recognized: RecognizedSplit, scores: Mapping[str, float]
) -> list[Table]:
    sizes = Counter(key for key in recognized.groups(group) if key)
    ordered = sorted(sizes, key=lambda key: (*map(int, re.findall(r"\d+", key)[:1]), key))
    if len(ordered) < 2:
        return []
    rows: list[Sequence[Cell]] = [
        (key, sizes[key], *(scores[f"{metric}/{group}/{key}"] for metric in METRICS))
        for key in ordered[:_SPEAKERS]
    ]
    return [Table(title, (group, "recordings", *METRICS), rows)]


def _tabulate_confusions(recognized: RecognizedSplit) -> Table:
    counts = count_confusions(recognized.best, recognized.references)
    common = counts.most_common(_CONFUSIONS)
    rows: list[Sequence[Cell]] = [(*_name(unit), count) for unit, count in common]
    note = "∅ stands for no word: what was missed, and what nobody said."
    return Table("Misheard words", ("said", "written", "times"), rows, note=note)


def _sample(
    recognized: RecognizedSplit, row: int, png: bytes, samples: Array | None, rate: int
) -> Sample:
    record, texts = recognized.rows[row], recognized.texts[row]
    reference = recognized.references[row]
    facts = [("said", record["text"])]
    aligned = align_transcript(texts[0], reference)
    if errors := [" → ".join(_name(unit)) for unit in aligned if unit.kind != "hit"]:
        facts.append(("errors", "; ".join(errors)))
    sounds = [] if samples is None else [Sound(make_wav(samples, rate), "recording")]
    speaker = [record["speaker"]] if record["speaker"] else []
    return Sample(
        title=record["utterance_id"],
        subtitle=" · ".join([*speaker, f"{record['duration']:.2f} s"]),
        right=not errors,
        score=score_transcripts([texts[0]], [reference])["wer"],
        pictures=[Picture(png, "spectrogram")],
        sounds=sounds,
        answers=[
            Answer(text, one.probability, text == reference)
            for text, one in zip(texts, recognized.transcripts[row], strict=False)
        ],
        facts=facts,
        spans=[
            Span(f" {unit.hypothesis}", float(unit.kind != "hit"))
            for unit in aligned
            if unit.hypothesis
        ],
    )


def _name(unit: AlignedUnit) -> tuple[str, str]:
    """What is said, and what was written."""
    return unit.reference or _NONE, unit.hypothesis or _NONE
