import pytest

from rnnpipe.report.charts import BOTTOM, LEFT, RIGHT, TOP
from rnnpipe.report.scatter import ScatterAxis, ScatterPoint, draw_scatter


def draw(values, axis):
    points = [ScatterPoint(x, y, f"{x} gives {y}") for x, y in values]
    return draw_scatter("accuracy", axis, {"finished": points})


def test_points_lie_where_their_values_are():
    chart = draw([(8, 0.2), (16, 0.6), (24, 1.0)], ScatterAxis("units"))
    (line,) = chart.lines
    xs, ys = [p.x for p in line.points], [p.y for p in line.points]
    assert xs == [LEFT + 14, (LEFT + RIGHT) / 2, RIGHT - 14]
    assert ys == [BOTTOM, (BOTTOM + TOP) / 2, TOP]
    assert line.points[1].label == "16 gives 0.6"
    assert (line.path, line.shown, chart.x_label) == ("", "3", "units")


def test_a_logarithmic_axis_has_equal_steps_for_equal_factors():
    chart = draw([(1e-4, 1), (1e-3, 2), (1e-2, 3)], ScatterAxis("rate", log=True))
    xs = [p.x for p in chart.lines[0].points]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1])
    ticks = {tick.label: tick.at for tick in chart.x_ticks}
    assert ticks["0.001"] == xs[1]
    assert {"0.0001", "0.01"} <= ticks.keys()


def test_categories_have_their_places_though_none_was_drawn():
    names = ("max", "mean", "{kind: attention, glimpses: 2}")
    chart = draw([(2, 0.5), (0, 0.7)], ScatterAxis("pooling", names))
    assert [tick.label for tick in chart.x_ticks] == ["max", "mean", "{kind: atten…"]
    places = [tick.at for tick in chart.x_ticks]
    assert [p.x for p in chart.lines[0].points] == [places[2], places[0]]


def test_one_point_is_in_the_middle():
    chart = draw([(3, 0.5)], ScatterAxis("trial"))
    (point,) = chart.lines[0].points
    assert (point.x, point.y) == ((LEFT + RIGHT) / 2, (BOTTOM + TOP) / 2)
