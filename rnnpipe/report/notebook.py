"""HTML that notebooks show in the place of an object."""

import base64
from collections.abc import Sequence
from html import escape

from rnnpipe.report.items import Cell


def table_html(columns: Sequence[str], rows: Sequence[Sequence[Cell]], caption: str = "") -> str:
    """A table.

    Args:
        columns: the head of each column.
        rows: one cell per column; floats have four places.
        caption: its title.

    Example:
        >>> table_html(("answer", "probability"), [("a < b", 0.5)])
        '<table><thead><tr><th>answer</th><th>probability</th></tr></thead><tbody><tr><td>a &lt; b\
</td><td>0.5000</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_format(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def picture_html(png: bytes) -> str:
    """A PNG within the page.

    Example:
        >>> picture_html(b"png")
        '<img src="data:image/png;base64,cG5n" style="max-width: 100%">'
    """
    data = base64.b64encode(png).decode()
    return f'<img src="data:image/png;base64,{data}" style="max-width: 100%">'


def _format(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.4f}" if isinstance(cell, float) else str(cell)
