"""Errors of users, reported as *where: expected X, got Y; what to do*."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class UserError(ValueError):
    """A mistake that the user can correct.

    The command line prints it and exits with code 2; library users catch it as a `ValueError`.

    Args:
        where: the file, key, layer or option at fault.
        expected: what would have been right.
        got: what was found.
        fix: what to do about it.

    Example:
        >>> str(UserError("model.units", "a positive integer", "-3", "write e.g. 256"))
        'model.units: expected a positive integer, got -3; write e.g. 256'
    """

    def __init__(self, where: str, expected: str, got: str, fix: str) -> None:
        self.where, self.expected, self.got, self.fix = where, expected, got, fix
        super().__init__(f"{where}: expected {expected}, got {got}; {fix}")

    def __reduce__(self) -> tuple[Any, ...]:
        return UserError, (self.where, self.expected, self.got, self.fix)


class Faults(UserError):
    """Several mistakes reported at once, a line each.

    Args:
        faults: the mistakes, in the order in which they are to be read; at least one.
    """

    def __init__(self, faults: Sequence[UserError]) -> None:
        first = faults[0]
        super().__init__(first.where, first.expected, first.got, first.fix)
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[Any, ...]:
        return Faults, (self.faults,)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


@contextmanager
def located(section: str) -> Iterator[None]:
    """Puts the section of the config before the key of a mistake in its settings.

    Example:
        >>> with located("data.features"):
        ...     raise UserError("image_size", "a size of at least 32", "8", "write e.g. 224")
        Traceback (most recent call last):
            ...
        rnnpipe.errors.UserError: data.features.image_size: expected a size of at least 32, got 8; \
write e.g. 224
    """
    try:
        yield
    except UserError as fault:
        where = f"{section}.{fault.where}" if fault.where else section
        raise UserError(where, fault.expected, fault.got, fault.fix) from fault


class BadRecord(Exception):
    """A raw record that cannot be processed: it becomes a dead letter and the job goes on.

    Args:
        step: what was being done, e.g. `decode image`.
        reason: why that failed.
    """

    def __init__(self, step: str, reason: str) -> None:
        self.step, self.reason = step, reason
        super().__init__(f"{step}: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return BadRecord, (self.step, self.reason)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A raw record that was left out of a data set, and why.

    Args:
        key: the record's key.
        source: the file or folder it came from.
        step: what was being done when it failed.
        reason: why it failed.
    """

    key: str
    source: str
    step: str
    reason: str

    def __post_init__(self) -> None:
        # Names of raw data may be bytes or halves of characters that no file of ours can hold.
        for name in ("key", "source", "step", "reason"):
            text = getattr(self, name)
            if not text.isascii():
                spelled = text.encode(errors="backslashreplace").decode()
                object.__setattr__(self, name, spelled)
