"""A sweep as one self-contained HTML page, as `rnnpipe.report.page` shows one run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rnnpipe.report.charts import Chart
from rnnpipe.report.items import Table
from rnnpipe.report.page import render_runs
from rnnpipe.storage.atomic import write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPage:
    """The content of a sweep.

    Args:
        title: what was run.
        summary: the outcome in a sentence.
        tables: the trials, and of a sweep of seeds their means.
        progress: scores by trial.
        settings: scores by each setting that was varied.
        shares: how much of the scores' variance each setting explains.
        histories: by trial, a value per epoch of each column.
        best_epochs: by trial, the epoch with its best value.
        training_note: which trials the histories are of.
        config_yaml: the config of the best trial.
        notices: what a reader must know of the sweep.
    """

    title: str
    summary: str
    tables: Sequence[Table]
    progress: Sequence[Chart] = ()
    settings: Sequence[Chart] = ()
    shares: Table | None = None
    histories: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    best_epochs: Mapping[str, int] = field(default_factory=dict)
    training_note: str = ""
    config_yaml: str = ""
    notices: Sequence[str] = ()


def write_sweep(path: Path, page: SweepPage) -> None:
    """Writes the page to an HTML file, wholly or not at all.

    Args:
        path: the file; one that is there is replaced.
        page: its content.

    Raises:
        OSError: the file cannot be written.
    """
    write_text(path, render_sweep(page))


def render_sweep(page: SweepPage) -> str:
    """The HTML of a page."""
    return render_runs("sweep.html", page)
