"""Values by what they depend on, laid out for SVG as charts: a point for each, no line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.ticker import LogLocator, MaxNLocator

from rnnpipe.report.charts import LEFT, RIGHT, Chart, Line, Point, Scale, Tick, scale_values

_LONGEST = 12  # characters of a category under an axis


@dataclass(frozen=True, slots=True)
class ScatterAxis:
    """The horizontal axis.

    Args:
        label: what it shows.
        categories: their names, where its values are their places from 0; else numbers.
        log: whether it is logarithmic.
    """

    label: str
    categories: Sequence[str] = ()
    log: bool = False


@dataclass(frozen=True, slots=True)
class ScatterPoint:
    """A value.

    Args:
        x: what it depends on: a number, or the place of a category.
        y: the value.
        label: what is shown where a pointer is over it.
    """

    x: float
    y: float
    label: str


def draw_scatter(
    title: str, axis: ScatterAxis, groups: Mapping[str, Sequence[ScatterPoint]]
) -> Chart:
    """A chart of points.

    Args:
        title: the quantity.
        axis: what it depends on.
        groups: the points of each group by its name, at least one in all; the legend has how many.
    """
    every = [point for points in groups.values() for point in points]
    y, y_ticks = scale_values([point.y for point in every])
    values = _axis_values(axis, [point.x for point in every])
    margin = 34 if axis.categories else 14
    x = Scale(min(values), max(values), LEFT + margin, RIGHT - margin)
    place = math.log10 if axis.log else float
    return Chart(
        title=title,
        lines=[
            Line(
                name,
                f"points run-{number}",
                "",
                [Point(x(place(p.x)), y(p.y), p.label) for p in points],
                str(len(points)),
            )
            for number, (name, points) in enumerate(groups.items(), start=1)
            if points
        ],
        x_ticks=[Tick(x(at), text) for at, text in _tick(axis, values)],
        y_ticks=y_ticks,
        best=None,
        gaps="",
        x_label=axis.label,
    )


def _axis_values(axis: ScatterAxis, values: Sequence[float]) -> list[float]:
    """The values along the axis, of categories all their places."""
    if axis.categories:
        return [float(place) for place in range(len(axis.categories))]
    return [math.log10(value) if axis.log else float(value) for value in values]


def _tick(axis: ScatterAxis, values: Sequence[float]) -> list[tuple[float, str]]:
    """Where there are ticks, and their texts."""
    low, high = min(values), max(values)
    if axis.categories:
        names = axis.categories
        texts = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in names]
        return list(zip(values, texts, strict=True))
    if axis.log:
        subs = (1.0,) if high - low > 3 else (1.0, 2.0, 5.0)
        found = LogLocator(subs=subs, numticks=12).tick_values(10**low, 10**high)
        return [(math.log10(v), f"{v:g}") for v in found if low <= math.log10(v) <= high]
    found = MaxNLocator(5, min_n_ticks=2).tick_values(low, high)
    return [(v, f"{v:g}") for v in found if low <= v <= high]
