"""What a plain word of YAML means here: decimal numbers, `true`, `false`, `null`, and else text."""

import math
import re
from dataclasses import dataclass

Scalar = str | int | float | bool | None

WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_LEADING_ZERO = re.compile(r"([-+]?)(0[0-9]+)")
_FLOAT = re.compile(r"[-+]?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|nan)")
_MAX_DIGITS = 300


@dataclass(frozen=True, slots=True)
class Refused:
    """A plain word that is not taken for anything, because readers of YAML disagree about it.

    Args:
        expected: what would have been right.
        fix: what to write instead.
    """

    expected: str
    fix: str


def read_scalar(text: str) -> Scalar | Refused:
    """The value of an unquoted scalar.

    `1e-3`, `1E5` and `.5e3` are numbers. Only `true` and `false` are booleans, so `no`, `on` and
    `True` are text, and so are dates, `1:30`, `0x1F`, `0o10` and `1_000`: nothing that one
    reader of YAML takes for a number and another for text becomes a number here. `010` is
    refused, since it looks like a number to everybody, but not like the same one.

    Example:
        >>> read_scalar("1e-3"), read_scalar("no"), read_scalar("1_000")
        (0.001, 'no', '1_000')
    """
    if text in WORDS:
        return WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= _MAX_DIGITS else _too_large()
    if match := _LEADING_ZERO.fullmatch(text):
        return _leading_zero(text, *match.groups())
    if _FLOAT.fullmatch(text):
        return _read_float(text)
    if match := _SPECIAL.fullmatch(text):
        return float(match[1] + match[2])
    return text


def as_number(text: str) -> int | float | None:
    """The number that `text` stands for in other notations, for a hint; None if it is no number."""
    known = read_scalar(text.strip())
    if isinstance(known, int | float) and not isinstance(known, bool):
        return known
    candidate = text.strip().replace(",", ".") if text.count(",") == 1 else text.strip()
    for read in (_read_prefixed, float):
        try:
            return read(candidate)
        except ValueError:
            continue
    return None


def _read_prefixed(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("too long for a number")
    return int(text, 0)


def _read_float(text: str) -> float | Refused:
    value = float(text)
    digits = re.split("[eE]", text)[0]
    vanished = value == 0 and any(digit in "123456789" for digit in digits)
    return _too_large() if math.isinf(value) or vanished else value


def _leading_zero(text: str, sign: str, digits: str) -> Refused:
    decimal = sign + (digits.lstrip("0") or "0")
    readings = [decimal]
    if not set(digits) & set("89"):
        octal = f"{sign}{int(digits[:_MAX_DIGITS], 8)}"
        readings += [f"{octal} (YAML 1.1 reads it as octal)"] if octal != decimal else []
    return Refused(
        "a number without leading zeros", f'write {" or ".join(readings)}, or "{text}" for text'
    )


def _too_large() -> Refused:
    return Refused("a number that 64-bit floats can hold", "write a number nearer to 1")
