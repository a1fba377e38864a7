"""A run as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rnnpipe.report import charts
from rnnpipe.report.items import Calibration, Cell, Confusion, ReportItem, Table
from rnnpipe.report.page import Page

_FIGURES = (Table, Confusion, Calibration)
"""The items shown beside the scores; all others are samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage(Page):
    """The report of a run.

    Args:
        title: what was run, e.g. `vqa · shapes`.
        summary: the outcome in a sentence.
        notices: what a reader must know first.
        headline: names and values of what matters most, the most important first.
        scores: the model beside its baselines.
        items: what the task shows, in the order in which it is shown.
        history: per column of the training history, a value per epoch; `x` and `val_x` share a
            chart. A column `epoch` numbers the epochs; without it they count from 1.
        best_epoch: the epoch whose weights were kept, as the epochs are numbered.
        records: what it was run on: names and values, or names and further mappings.
        config_yaml: the resolved config.
        environment: names and versions of what it was run with.

    Example:
        >>> from rnnpipe.report.page import write_page
        >>> page = RunPage(
        ...     title="vqa · shapes",
        ...     summary="Answers questions about scenes of coloured shapes.",
        ...     headline=[("vqa_accuracy", 0.953)],
        ...     scores=Table("Test", ("", "vqa_accuracy"), [("model", 0.953)], highlight=0),
        ... )
        >>> write_page(getfixture("tmp_path") / "report.html", page)
    """

    template: ClassVar[str] = "report.html"

    headline: Sequence[tuple[str, Cell]]
    scores: Table
    items: Sequence[ReportItem] = ()
    history: Mapping[str, Sequence[float]] = field(default_factory=dict)
    best_epoch: int | None = None
    records: Mapping[str, Any] = field(default_factory=dict)
    config_yaml: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def derive(self) -> Mapping[str, Any]:
        """The items by where they are shown; the charts and the table of the training."""
        return {
            "figures": [item for item in self.items if isinstance(item, _FIGURES)],
            "samples": [item for item in self.items if not isinstance(item, _FIGURES)],
            "charts": charts.draw_charts(self.history, self.best_epoch),
            "steady": charts.steady_values(self.history),
            "epochs": _table_of_epochs(self.history),
        }


def _table_of_epochs(history: Mapping[str, Sequence[float]]) -> Table:
    """The training history as a table, a row per epoch."""
    columns = {name: values for name, values in history.items() if name != "epoch"}
    epochs = [f"{epoch:g}" for epoch in charts.number_epochs(history)]
    rows = list(zip(epochs, *columns.values(), strict=True))
    return Table("Every epoch", ("epoch", *columns), rows)
