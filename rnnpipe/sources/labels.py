"""Names of classes, in whatever form raw data has them."""

from functools import lru_cache
from typing import Any

from rnnpipe.errors import BadRecord

_STEP = "read label"
_MOST_DIGITS = 4300  # of which Python makes text
_BYTE_ORDER_MARK = "\ufeff"


def read_label(value: Any) -> str:
    """The name of a class, from text or from a whole number.

    Truth values, fractions, lists and the like are no names: written as text they would be classes
    that nobody meant, and 1 and true would be one.

    Raises:
        BadRecord: the value is no name (step `read label`).

    Example:
        >>> read_label(" red "), read_label(0)
        ('red', '0')
        >>> read_label(float("nan"))
        Traceback (most recent call last):
            ...
        rnnpipe.errors.BadRecord: read label: not the name of a class: nan
    """
    if type(value) is int and value.bit_length() < 3 * _MOST_DIGITS:
        return str(value)
    if not isinstance(value, str):
        raise BadRecord(_STEP, f"not the name of a class: {_shown(value)}")
    return _read_name(value)


@lru_cache(maxsize=1024)
def _read_name(value: str) -> str:
    """The name in a text; of millions of rows few have another than one before."""
    name = value.strip().strip(_BYTE_ORDER_MARK).strip()
    if not name:
        raise BadRecord(_STEP, f"not the name of a class: {value!r:.100}")
    try:
        name.encode()
    except UnicodeEncodeError as fault:  # half of a surrogate pair, which JSON can spell
        raise BadRecord(_STEP, f"the name is not Unicode text: {value!r:.100}") from fault
    return name


def read_optional_label(value: Any) -> str | None:
    """The same where there may be none: JSON's null, an empty text or a cell that is missing.

    Raises:
        BadRecord: the value is no name (step `read label`).
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return read_label(value)


def _shown(value: Any) -> str:
    return "a number of thousands of digits" if type(value) is int else f"{value!r:.100}"
