"""A comparison of runs as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rnnpipe.report.items import Gallery, Table
from rnnpipe.report.runs import RunsPage


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPage(RunsPage):
    """The content of a comparison.

    Args:
        title: what is compared.
        summary: how, in a sentence.
        scores: metrics with their intervals, the main one first.
        details: all metrics, a table for each split.
        histories: by run, a value per epoch of each column.
        best_epochs: by run, the epoch whose weights were kept.
        disagreements: how often the runs differ.
        samples: where they differ most.
        differences: what differs between the runs themselves.
        notices: what a reader must know of the comparison.
    """

    template: ClassVar[str] = "comparison.html"

    scores: Sequence[Table]
    details: Sequence[Table] = ()
    disagreements: Sequence[Table] = ()
    samples: Sequence[Gallery] = ()
    differences: Sequence[Table] = ()
