"""Formatting of numbers in tables: significant digits, alike within a column."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from rnnpipe.report.items import Cell, Table


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell of a table as it is shown.

    Args:
        text: its text.
        is_number: whether it is right-aligned.
        bar: the length of its bar, within [0, 1], where it has one.
    """

    text: str
    is_number: bool
    bar: float | None


def show_table(table: Table) -> list[list[ShownCell]]:
    """The rows of a table as they are shown; fractions get bars."""
    columns = [
        _show_cells([row[place] for row in table.rows]) for place in range(len(table.columns))
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def show_column(cells: Sequence[Cell]) -> list[str]:
    """The texts of a column, its floats with as many decimals as one another.

    Example:
        >>> show_column([0.98734, 0.5, None]), show_column([1234567, 12]), show_column([0.0004])
        (['0.987', '0.500', ''], ['1,234,567', '12'], ['0.0004'])
    """
    sizes = [abs(cell) for cell in cells if _is_fractional(cell) and _is_finite(cell)]
    decimals = max(0, 3 - math.floor(math.log10(max([1.0, *sizes]))))
    style = ".3g" if any(0 < size < 0.001 for size in sizes) else f",.{decimals}f"
    return [_show_cell(cell, style) for cell in cells]


def show_number(cell: Cell) -> str:
    """The text of a single number: three digits of it, of a fraction three decimals.

    Example:
        >>> show_number(0.5), show_number(4.8), show_number(1234.5), show_number(1234567)
        ('0.500', '4.8', '1,234', '1,234,567')
    """
    large = _is_finite(cell) and 1 < abs(cell) < 1000
    return _show_cell(cell, ".3g") if large else show_column([cell])[0]


def _show_cell(cell: Cell, style: str) -> str:
    if cell is None or isinstance(cell, str):
        return cell or ""
    if math.isnan(cell):
        return "NaN"
    if math.isinf(cell):
        return "∞" if cell > 0 else "−∞"
    return format(cell, style if _is_fractional(cell) else ",").replace("-", "−")


def _show_cells(cells: Sequence[Cell]) -> list[ShownCell]:
    finite = [cell for cell in cells if _is_finite(cell)]
    barred = bool(finite) and all(_is_fractional(cell) and 0 <= cell <= 1 for cell in finite)
    return [
        ShownCell(text, _is_number(cell), float(cell) if barred and _is_finite(cell) else None)
        for text, cell in zip(show_column(cells), cells, strict=True)
    ]


def _is_number(cell: Cell) -> TypeGuard[float]:
    return cell is not None and not isinstance(cell, str)


def _is_finite(cell: Cell) -> TypeGuard[float]:
    return _is_number(cell) and math.isfinite(cell)


def _is_fractional(cell: Cell) -> TypeGuard[float]:
    # Whole numbers, NumPy's too, are what Python lets one count with.
    return _is_number(cell) and not hasattr(cell, "__index__")
