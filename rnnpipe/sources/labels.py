"""Names of classes, in whatever form raw data has them."""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from rnnpipe.errors import BadRecord
from rnnpipe.sources.raw_files import fold_name

_STEP = "read label"
_MOST_DIGITS = 4300  # of which Python makes text
_LAST_SPACE = 0x3000  # the last character that is white space
# White space and byte order marks, in any order.
_AROUND = "\ufeff" + "".join(filter(str.isspace, map(chr, range(_LAST_SPACE + 1))))
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?")
_NO_VALUES = {"nan", "null", "<na>", "n/a", "#n/a", "undefined"}  # as programs write them
_SHOWN = 4


def read_label(value: Any) -> str:
    """The name of a class, from text or from a whole number, with accents as `fold_name` has them.

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
    name = fold_name(value.strip(_AROUND))
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


def label_notices(labels: Iterable[str]) -> list[str]:
    """Notices about classes that may be one, or none, a sentence each.

    Args:
        labels: the names of all classes.

    Example:
        >>> for sentence in label_notices(["Pos", "pos", "neg", "1", "nan"]):
        ...     print(sentence)
        data.source: labels that are nearly the same are a class each: 'Pos' and 'pos'
        data.source: labels that often stand for a missing value are a class each: 'nan'
    """
    alike: dict[str, list[str]] = {}
    for label in sorted(labels):
        alike.setdefault(_fold_label(label), []).append(label)
    twins = [" and ".join(map(_quoted, same)) for same in alike.values() if len(same) > 1]
    odd = [
        _quoted(label)
        for same in alike.values()
        for label in same
        if label.lower() in _NO_VALUES or label == "None"
    ]
    notices = []
    for names, what in (
        (twins, "labels that are nearly the same are a class each"),
        (odd, "labels that often stand for a missing value are a class each"),
    ):
        if names:
            more = f"; and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
            notices.append(f"data.source: {what}: {'; '.join(names[:_SHOWN])}{more}")
    return notices


def _fold_label(label: str) -> str:
    """What labels share that differ in case, white space, marks that do not show, or zeros."""
    if _NUMBER.fullmatch(label):
        return str(Decimal(label).normalize() + 0)
    folded = unicodedata.normalize("NFKC", label).casefold()
    shown = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
    return " ".join(shown.split())


def _quoted(label: str) -> str:
    return f"{label!r:.60}"


def _shown(value: Any) -> str:
    return "a number of thousands of digits" if type(value) is int else f"{value!r:.100}"
