"""A run as one HTML page: no network, no script; images, sounds and styles are inside."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from rnnpipe.report import charts
from rnnpipe.report.cells import show_number, show_table
from rnnpipe.report.items import Calibration, Cell, Confusion, ReportItem, Table
from rnnpipe.storage.atomic import write_text

_FIGURES = (Table, Confusion, Calibration)
"""The items shown beside the scores; all others are samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The content of a report.

    Args:
        title: what was run, e.g. `vqa · shapes`.
        summary: the outcome in a sentence.
        headline: names and values of what matters most, the most important first.
        scores: the model beside its baselines.
        items: what the task shows, in the order in which it is shown.
        history: per column of the training history, a value per epoch; `x` and `val_x` share a
            chart. A column `epoch` numbers the epochs; without it they count from 1.
        best_epoch: the epoch whose weights were kept, as the epochs are numbered.
        records: what it was run on: names and values, or names and further mappings.
        config_yaml: the resolved config.
        environment: names and versions of what it was run with.
    """

    title: str
    summary: str
    headline: Sequence[tuple[str, Cell]]
    scores: Table
    items: Sequence[ReportItem] = ()
    history: Mapping[str, Sequence[float]] = field(default_factory=dict)
    best_epoch: int | None = None
    records: Mapping[str, Any] = field(default_factory=dict)
    config_yaml: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def write_report(path: Path, page: Page) -> None:
    """Writes the page to an HTML file, wholly or not at all.

    Args:
        path: the file; one that is there is replaced.
        page: its content.

    Raises:
        OSError: the file cannot be written.

    Example:
        >>> page = Page(
        ...     title="vqa · shapes",
        ...     summary="Answers questions about scenes of coloured shapes.",
        ...     headline=[("vqa_accuracy", 0.953)],
        ...     scores=Table("Test", ("", "vqa_accuracy"), [("model", 0.953)], highlight=0),
        ... )
        >>> write_report(getfixture("tmp_path") / "report.html", page)
    """
    write_text(path, render(page))


def render(page: Page) -> str:
    """The HTML of a page."""
    return (
        make_environment()
        .get_template("report.html")
        .render(
            page=page,
            charts=charts.draw_charts(page.history, page.best_epoch),
            frame=charts,
            steady=charts.steady_values(page.history),
            epochs=_table_of_epochs(page.history),
        )
    )


def render_runs(template: str, page: Any) -> str:
    """The HTML of a page with the learning curves of several runs over each other.

    Args:
        template: its file.
        page: its content, with `histories` and `best_epochs` by run, see `draw_comparison`.
    """
    drawn = charts.draw_comparison(page.histories, page.best_epochs)
    return make_environment().get_template(template).render(page=page, charts=drawn, frame=charts)


def make_environment() -> Environment:
    """The templates of pages, with their filters."""
    environment = Environment(
        loader=PackageLoader("rnnpipe.report", "."),
        autoescape=True,  # questions and answers come from anyone
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        audio_uri=_to_audio_uri,
        data_uri=_to_data_uri,
        extent=_extent,
        kind=_kind,
        number=show_number,
        percent=_percent,
        rows=show_table,
    )
    environment.tests.update(figures=lambda item: isinstance(item, _FIGURES))
    return environment


def _to_data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _to_audio_uri(wav: bytes) -> str:
    return "data:audio/wav;base64," + base64.b64encode(wav).decode("ascii")


def _kind(item: ReportItem) -> str:
    """The name of the macro that shows an item."""
    return type(item).__name__.lower()


def _percent(fraction: float) -> str:
    return f"{fraction:.1%}" if math.isfinite(fraction) else show_number(fraction)


def _extent(fraction: float) -> str:
    """A length in CSS, which knows no NaN."""
    return f"{min(max(fraction, 0), 1):.1%}" if math.isfinite(fraction) else "0%"


def _table_of_epochs(history: Mapping[str, Sequence[float]]) -> Table:
    """The training history as a table, a row per epoch."""
    columns = {name: values for name, values in history.items() if name != "epoch"}
    epochs = [f"{epoch:g}" for epoch in charts.number_epochs(history)]
    rows = list(zip(epochs, *columns.values(), strict=True))
    return Table("Every epoch", ("epoch", *columns), rows)
