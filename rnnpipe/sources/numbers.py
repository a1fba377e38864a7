"""Numbers in raw data, whether they are written as numbers or as text."""

import math
from typing import Any

from rnnpipe.errors import BadRecord


def read_number(value: Any, what: str, step: str) -> float:
    """A finite number.

    Args:
        value: a number, or a text that spells one.
        what: what it is, for the reason.
        step: what is being done.

    Raises:
        BadRecord: it is none.

    Example:
        >>> read_number(" 0.5", "start", "read times")
        0.5
    """
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise BadRecord(step, f"{what} is no number: {value!r:.100}")
    return number
