"""Errors of users, reported as *where: expected X, got Y; what to do*."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class UserError(ValueError):
    """A mistake that the user can correct.

    The command line prints it and exits with code 2; library users catch it as a `ValueError`.
    Like every exception of Python's own, it can be made of a single text: Keras rebuilds errors
    as `type(error)(text)`. Its fields are then empty.

    Args:
        where: the file, key, layer or option at fault; or the whole text.
        expected: what would have been right.
        got: what was found.
        fix: what to do about it.

    Example:
        >>> str(UserError("model.units", "a positive integer", "-3", "write e.g. 256"))
        'model.units: expected a positive integer, got -3; write e.g. 256'
        >>> str(UserError("model.units: too many"))
        'model.units: too many'
    """

    def __init__(self, where: str, expected: str = "", got: str = "", fix: str = "") -> None:
        is_text = not (expected or got or fix)
        super().__init__(where if is_text else f"{where}: expected {expected}, got {got}; {fix}")
        self.where = "" if is_text else where
        self.expected, self.got, self.fix = expected, got, fix

    def __reduce__(self) -> tuple[Any, ...]:
        # From its text: a subclass may take other arguments, but always one text as well.
        return type(self), self.args, self.__dict__


class Faults(UserError):
    """Several mistakes reported at once, a line each.

    Args:
        faults: the mistakes, in the order in which they are to be read; at least one. Or the
            whole text.
    """

    def __init__(self, faults: Sequence[UserError] | str) -> None:
        self.faults = (UserError(faults),) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
        first = self.faults[0]
        self.where, self.expected, self.got, self.fix = (
            first.where,
            first.expected,
            first.got,
            first.fix,
        )


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
        if not fault.expected:
            raise UserError(f"{section}: {fault}") from fault
        where = f"{section}.{fault.where}" if fault.where else section
        raise UserError(where, fault.expected, fault.got, fault.fix) from fault


class BadRecord(Exception):
    """A raw record that cannot be processed: it becomes a dead letter and the job goes on.

    Args:
        step: what was being done, e.g. `decode image`; or the whole text.
        reason: why that failed.
    """

    def __init__(self, step: str, reason: str = "") -> None:
        super().__init__(f"{step}: {reason}" if reason else step)
        self.step, self.reason = step, reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__dict__


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
            object.__setattr__(self, name, escape_surrogates(text))


def escape_surrogates(text: str) -> str:
    r"""The text with halves of characters, which names of files may have, spelled out.

    Example:
        >>> escape_surrogates("caf\udce9, café")
        'caf\\udce9, café'
    """
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
