import math

import pytest

from rnnpipe.report.charts import BOTTOM, LEFT, RIGHT, TOP, draw_charts, steady_values

HISTORY = {
    "loss": [3.0, 2.0, 1.0],
    "accuracy": [0.2, 0.4, 0.6],
    "val_loss": [3.5, 2.5, 2.8],
    "learning_rate": [0.001, 0.001, 0.001],
    "seconds": [10.0, 11.0, 12.0],
}


def test_training_and_validation_share_a_chart():
    charts = draw_charts(HISTORY, best_epoch=2)
    assert [(chart.title, [line.kind for line in chart.lines]) for chart in charts] == [
        ("loss", ["train", "validation"]),
        ("accuracy", ["train"]),
        ("seconds", ["train"]),
    ]
    assert [line.shown for line in charts[0].lines] == ["2.000", "2.500"]


def test_constant_columns_have_no_chart():
    assert steady_values(HISTORY) == {"learning_rate": 0.001}
    flat = {"loss": [1.0, 1.0], "val_loss": [1.0, 1.0]}
    assert steady_values(flat) == {}  # a loss that stands still is news
    assert len(draw_charts(flat, None)) == 1


def test_points_agree_with_the_ticks():
    (chart,) = draw_charts({"loss": [0.0, 1.0, 0.5]}, None)
    at = {tick.label: tick.at for tick in chart.y_ticks}
    assert at["0.0"] == BOTTOM
    assert at["1.0"] == TOP
    points = chart.lines[0].points
    assert [point.y for point in points] == [BOTTOM, TOP, (TOP + BOTTOM) / 2]
    assert [tick.label for tick in chart.x_ticks] == ["1", "2", "3"]
    assert [tick.at for tick in chart.x_ticks] == [point.x for point in points]
    assert points[2].label == "train, epoch 3: 0.500"
    assert LEFT < points[0].x < points[1].x < points[2].x < RIGHT


@pytest.mark.parametrize(("start", "best"), [(0, 0), (1, 3), (5, 6)])
def test_best_epoch_is_counted_as_the_epochs_are(start, best):
    history = {"epoch": [start, start + 1, start + 2], "loss": [3.0, 2.0, 1.0]}
    (chart,) = draw_charts(history, best)
    line = chart.lines[0]
    assert chart.best == line.points[best - start].x
    assert line.shown == f"{3.0 - (best - start):.3f}"


@pytest.mark.parametrize("best", [None, 9])
def test_the_last_value_is_named_without_a_best_epoch(best):
    (chart,) = draw_charts({"loss": [3.0, 2.0, 1.0]}, best)
    assert chart.best is None
    assert chart.lines[0].shown == "1.000"


def test_a_line_is_interrupted_at_nan():
    history = {"loss": [3.0, 2.0, math.nan, 1.0, math.inf]}
    (chart,) = draw_charts(history, None)
    path = chart.lines[0].path
    assert path.count("M") == 2
    assert path.count("L") == 1
    assert len(chart.lines[0].points) == 3
    assert chart.gaps == "3, 5"


@pytest.mark.parametrize("values", [[math.nan] * 2, [0.0, 0.0], [5.0], [-2.0], [1e30, 2e30]])
def test_axes_hold_any_values(values):
    (chart,) = draw_charts({"loss": values, "val_loss": values}, 1)
    labels = [tick.label for tick in chart.y_ticks]
    assert len(set(labels)) == len(labels) > 1
    for line in chart.lines:
        assert all(TOP <= point.y <= BOTTOM for point in line.points)


@pytest.mark.parametrize("history", [{}, {"epoch": []}, {"epoch": [], "loss": []}, {"loss": []}])
def test_no_epochs_no_charts(history):
    assert draw_charts(history, None) == []
