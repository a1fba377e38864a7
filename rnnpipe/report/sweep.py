"""A sweep as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rnnpipe.report.charts import Chart
from rnnpipe.report.items import Table
from rnnpipe.report.runs import RunsPage


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPage(RunsPage):
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

    template: ClassVar[str] = "sweep.html"

    tables: Sequence[Table]
    progress: Sequence[Chart] = ()
    settings: Sequence[Chart] = ()
    shares: Table | None = None
    training_note: str = ""
    config_yaml: str = ""
