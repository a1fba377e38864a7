"""Training curves laid out for SVG: geometry alone; the page gives them their colours."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from rnnpipe.report.cells import show_column

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 350, 12, 182
"""Where the chart's frame lies in its drawing of `WIDTH` by `HEIGHT`."""

RUN_COLOURS = 6
"""How many colours lines of runs have, in `report.css`; further runs begin with the first."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Point:
    """A measured value."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One column of a history.

    Args:
        label: `train` or `validation`, or the run.
        kind: the class of its colour: `train`, `validation`, `run-1`, `run-2`, ….
        path: SVG path data, broken where a value is no number.
        points: the values that are numbers.
        shown: the value that the legend names: at the best epoch, else the last.
    """

    label: str
    kind: str
    path: str
    points: Sequence[Point]
    shown: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A quantity over the epochs: on training and validation data, or of several runs.

    Args:
        title: the quantity.
        lines: training first, or in the order of the runs.
        x_ticks: epochs.
        y_ticks: values.
        best: the x position of the best epoch, if there is one.
        gaps: the epochs at which a value is no number.
        x_label: what the x axis shows.
    """

    title: str
    lines: Sequence[Line]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    best: float | None
    gaps: str
    x_label: str = "epoch"


def draw_charts(history: Mapping[str, Sequence[float]], best_epoch: int | None) -> list[Chart]:
    """A chart per quantity that changes; the columns `x` and `val_x` share one.

    Args:
        history: per column, a value per epoch. A column `epoch` numbers the epochs; without it
            they count from 1.
        best_epoch: the epoch whose weights were kept, as the epochs are numbered.
    """
    epochs = number_epochs(history)
    steady = steady_values(history)
    names = dict.fromkeys(name.removeprefix("val_") for name in history)
    return [
        _draw_chart(name, _split_series(name, history, epochs, best_epoch), best_epoch)
        for name in names
        if name not in {"epoch", *steady} and epochs
    ]


def draw_comparison(
    histories: Mapping[str, Mapping[str, Sequence[float]]], best_epochs: Mapping[str, int]
) -> list[Chart]:
    """A chart per quantity with a line for each run, first those of validation.

    Args:
        histories: by run, as for `draw_charts`.
        best_epochs: by run, the epoch whose weights were kept.
    """
    names = dict.fromkeys(
        name
        for history in histories.values()
        for name in history
        if name != "epoch" and name not in steady_values(history)
    )
    charts = []
    for name in sorted(names, key=lambda name: not name.startswith("val_")):
        series = [
            _Series(run, f"run-{place % RUN_COLOURS + 1}", _pair(history, name), best_epochs[run])
            for place, (run, history) in enumerate(histories.items())
        ]
        if drawn := [each for each in series if each.values]:
            charts.append(_draw_chart(name, drawn, None))
    return charts


def _pair(history: Mapping[str, Sequence[float]], name: str) -> list[tuple[float, float]]:
    return list(zip(number_epochs(history), history.get(name, ()), strict=False))


def _split_series(
    name: str, history: Mapping[str, Sequence[float]], epochs: Sequence[float], best: int | None
) -> list["_Series"]:
    columns = {"train": history.get(name, ()), "validation": history.get(f"val_{name}", ())}
    return [
        _Series(kind, kind, list(zip(epochs, values, strict=True)), best)
        for kind, values in columns.items()
        if values
    ]


def number_epochs(history: Mapping[str, Sequence[float]]) -> list[float]:
    """The numbers of the epochs, as many as there are rows in the history."""
    length = max(map(len, history.values()), default=0)
    return [float(epoch) for epoch in history.get("epoch", range(1, length + 1))]


def steady_values(history: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The quantities that kept one value through several epochs: those need no chart."""
    return {
        name: values[0]
        for name, values in history.items()
        if len(values) > 1 and len(set(values)) == 1 and not _has_partner(name, history)
    }


def _has_partner(name: str, history: Mapping[str, Sequence[float]]) -> bool:
    return name.startswith("val_") or f"val_{name}" in history


@dataclass(frozen=True, slots=True)
class _Series:
    """What a line is drawn of.

    Args:
        label: of the line.
        kind: of the line.
        values: epochs and values.
        best: the epoch whose value the legend names.
    """

    label: str
    kind: str
    values: Sequence[tuple[float, float]]
    best: int | None


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from `low` to `high` onto the drawing from `start` to `end`.

    Args:
        low: the value at `start`; where it equals `high`, the value is in the middle.
        high: the value at `end`.
        start: where the axis begins in the drawing.
        end: where it ends.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where a value is in the drawing."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 2)


def _draw_chart(name: str, series: Sequence[_Series], best: int | None) -> Chart:
    every = [pair for each in series for pair in each.values]
    epochs = sorted({epoch for epoch, _ in every})
    finite = [value for _, value in every if math.isfinite(value)] or [0.0, 1.0]
    gaps = sorted({epoch for epoch, value in every if not math.isfinite(value)})

    x_values = MaxNLocator(6, integer=True, min_n_ticks=1).tick_values(epochs[0], epochs[-1])
    y, y_ticks = scale_values(finite)
    x = Scale(epochs[0], epochs[-1], LEFT + 10, RIGHT - 10)
    return Chart(
        title=name,
        lines=[_draw_line(each, x, y) for each in series],
        x_ticks=[Tick(x(e), f"{e:g}") for e in x_values if epochs[0] <= e <= epochs[-1]],
        y_ticks=y_ticks,
        best=None if best is None or best not in epochs else x(best),
        gaps=", ".join(f"{epoch:g}" for epoch in gaps),
    )


def scale_values(values: Sequence[float]) -> tuple[Scale, list[Tick]]:
    """The vertical axis for values: its scale and its ticks.

    Args:
        values: at least one, all finite.
    """
    # A single value is in the middle of an axis that reaches half as far to either side.
    reach = 0.0 if min(values) < max(values) else abs(values[0]) / 2 or 1.0
    ticks = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(
        min(values) - reach, max(values) + reach
    )
    scale = Scale(ticks[0], ticks[-1], BOTTOM, TOP)
    return scale, [Tick(scale(v), text) for v, text in zip(ticks, _label(ticks), strict=True)]


def _draw_line(series: _Series, x: Scale, y: Scale) -> Line:
    path, points, follows = "", [], False
    for epoch, value in series.values:
        known = math.isfinite(value)
        if known:
            point = Point(x(epoch), y(value), f"{series.label}, epoch {epoch:g}: {_show(value)}")
            path += f"{'L' if follows else 'M'}{point.x:g} {point.y:g}"
            points.append(point)
        follows = known
    values = dict(series.values)
    shown = values[series.best] if series.best in values else series.values[-1][1]
    return Line(series.label, series.kind, path, points, _show(shown))


def _show(value: float) -> str:
    return show_column([value])[0]


def _label(ticks: Iterable[float]) -> list[str]:
    """The texts of an axis, with as many decimals as one another."""
    texts = [f"{tick:.6g}" for tick in ticks]
    if any("e" in text for text in texts):
        return texts
    decimals = max(len(text.partition(".")[2]) for text in texts)
    return [f"{float(text):.{decimals}f}".replace("-", "−") for text in texts]
