"""Training curves laid out for SVG: geometry alone; the page gives them their colours."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from rnnpipe.report.cells import show_column

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 350, 12, 182
"""Where the chart's frame lies in its drawing of `WIDTH` by `HEIGHT`."""


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
    """One column of the history.

    Args:
        kind: `train` or `validation`.
        path: SVG path data, broken where a value is no number.
        points: the values that are numbers.
        shown: the value that the legend names: at the best epoch, else the last.
    """

    kind: str
    path: str
    points: Sequence[Point]
    shown: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A quantity over the epochs, on training data and, where it was measured, on validation data.

    Args:
        title: the quantity.
        lines: training first.
        x_ticks: epochs.
        y_ticks: values.
        best: the x position of the best epoch, if there is one.
        gaps: the epochs at which a value is no number.
    """

    title: str
    lines: Sequence[Line]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    best: float | None
    gaps: str


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
        _draw_chart(name, history, epochs, best_epoch)
        for name in names
        if name not in {"epoch", *steady} and epochs
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
class _Scale:
    """Maps values from `low` to `high` onto the drawing from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 2)


def _draw_chart(
    name: str, history: Mapping[str, Sequence[float]], epochs: Sequence[float], best: int | None
) -> Chart:
    columns = {"train": history.get(name, ()), "validation": history.get(f"val_{name}", ())}
    series = {
        kind: list(zip(epochs, values, strict=True)) for kind, values in columns.items() if values
    }
    every = [pair for pairs in series.values() for pair in pairs]
    finite = [value for _, value in every if math.isfinite(value)] or [0.0, 1.0]
    gaps = sorted({epoch for epoch, value in every if not math.isfinite(value)})

    x_values = MaxNLocator(6, integer=True, min_n_ticks=1).tick_values(epochs[0], epochs[-1])
    # A single value is in the middle of an axis that reaches half as far to either side.
    reach = 0.0 if min(finite) < max(finite) else abs(finite[0]) / 2 or 1.0
    y_values = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(
        min(finite) - reach, max(finite) + reach
    )
    x = _Scale(epochs[0], epochs[-1], LEFT + 10, RIGHT - 10)
    y = _Scale(y_values[0], y_values[-1], BOTTOM, TOP)
    return Chart(
        title=name,
        lines=[_draw_line(kind, pairs, best, x, y) for kind, pairs in series.items()],
        x_ticks=[Tick(x(e), f"{e:g}") for e in x_values if epochs[0] <= e <= epochs[-1]],
        y_ticks=[Tick(y(v), t) for v, t in zip(y_values, _label(y_values), strict=True)],
        best=None if best is None or best not in epochs else x(best),
        gaps=", ".join(f"{epoch:g}" for epoch in gaps),
    )


def _draw_line(
    kind: str, pairs: Sequence[tuple[float, float]], best: int | None, x: _Scale, y: _Scale
) -> Line:
    path, points, follows = "", [], False
    for epoch, value in pairs:
        known = math.isfinite(value)
        if known:
            point = Point(x(epoch), y(value), f"{kind}, epoch {epoch:g}: {_show(value)}")
            path += f"{'L' if follows else 'M'}{point.x:g} {point.y:g}"
            points.append(point)
        follows = known
    values = dict(pairs)
    shown = values[best] if best in values else pairs[-1][1]
    return Line(kind, path, points, _show(shown))


def _show(value: float) -> str:
    return show_column([value])[0]


def _label(ticks: Iterable[float]) -> list[str]:
    """The texts of an axis, with as many decimals as one another."""
    texts = [f"{tick:.6g}" for tick in ticks]
    if any("e" in text for text in texts):
        return texts
    decimals = max(len(text.partition(".")[2]) for text in texts)
    return [f"{float(text):.{decimals}f}".replace("-", "−") for text in texts]
