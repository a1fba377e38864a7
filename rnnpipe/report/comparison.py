"""Several runs as one self-contained HTML page, as `rnnpipe.report.page` shows one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rnnpipe.report.items import Gallery, Table
from rnnpipe.report.page import render_runs
from rnnpipe.storage.atomic import write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPage:
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

    title: str
    summary: str
    scores: Sequence[Table]
    details: Sequence[Table] = ()
    histories: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    best_epochs: Mapping[str, int] = field(default_factory=dict)
    disagreements: Sequence[Table] = ()
    samples: Sequence[Gallery] = ()
    differences: Sequence[Table] = ()
    notices: Sequence[str] = ()


def write_comparison(path: Path, page: ComparisonPage) -> None:
    """Writes the page to an HTML file, wholly or not at all.

    Args:
        path: the file; one that is there is replaced.
        page: its content.

    Raises:
        OSError: the file cannot be written.
    """
    write_text(path, render_comparison(page))


def render_comparison(page: ComparisonPage) -> str:
    """The HTML of a page."""
    return render_runs("comparison.html", page)
