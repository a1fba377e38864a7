import math

import numpy as np
import pytest

from rnnpipe.report.cells import show_column, show_number, show_table
from rnnpipe.report.items import Table


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ([0.9999, 0.5, 0.0], ["1.000", "0.500", "0.000"]),
        ([1.23456, 0.5], ["1.235", "0.500"]),
        ([34.567, 5.0], ["34.57", "5.00"]),
        ([12345.678, 0.5], ["12,346", "0"]),
        ([1e-4, 0.25], ["0.0001", "0.25"]),
        ([-0.5, 0.25], ["−0.500", "0.250"]),
        ([1234567, -3, 0], ["1,234,567", "−3", "0"]),
        ([math.nan, math.inf, -math.inf, 0.5], ["NaN", "∞", "−∞", "0.500"]),
        (["a-b", None, 0.5], ["a-b", "", "0.500"]),
        ([np.int64(1200), np.float32(0.5)], ["1,200", "0.500"]),
        ([], []),
    ],
)
def test_a_column_is_formatted(cells, texts):
    assert show_column(cells) == texts


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.9412, "0.941"), (4.8, "4.8"), (34.567, "34.6"), (1200, "1,200"), (1.0, "1.000"), (7, "7")],
)
def test_a_single_number_is_formatted(number, text):
    assert show_number(number) == text


@pytest.mark.parametrize(
    ("column", "bars"),
    [
        ([0.25, 1.0, 0.0], [0.25, 1.0, 0.0]),
        ([0.25, None, math.nan], [0.25, None, None]),
        ([0.25, 1.5], [None, None]),
        ([0.25, -0.1], [None, None]),
        ([0, 1], [None, None]),
        ([math.nan, None], [None, None]),
        (["0.5", "x"], [None, None]),
    ],
)
def test_only_fractions_have_bars(column, bars):
    rows = show_table(Table("", ("name", "value"), [("row", cell) for cell in column]))
    assert [row[1].bar for row in rows] == bars
    assert [row[0].is_number for row in rows] == [False] * len(column)


def test_a_table_may_have_no_rows():
    assert show_table(Table("", ("name", "value"), [])) == []
