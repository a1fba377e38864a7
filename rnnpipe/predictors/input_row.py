"""Rows of inputs, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rnnpipe.errors import UserError


class InputRow(NamedTuple):
    """One row of inputs.

    Args:
        where: the file and line that it comes from, or the file that it is.
        columns: what stands there, by column.
        inputs: the inputs of the task among them, with those of all rows; an error where the row
            cannot be read, and None for a blank line of a text, which has no answer.
    """

    where: str
    columns: Mapping[str, Any]
    inputs: Mapping[str, Any] | UserError | None


@dataclass(frozen=True)
class RowSource:
    """Rows of inputs from one place.

    Args:
        columns: those that rows have.
        rows: read as they are asked for.
        total: how many there are; 0: that is not known.
        notices: what is not read, a sentence each.
        is_ready: of a pipe: whether the next row can be read without waiting for it.
    """

    columns: Sequence[str]
    rows: Iterable[InputRow]
    total: int = 0
    notices: Sequence[str] = ()
    is_ready: Callable[[], bool] | None = None
