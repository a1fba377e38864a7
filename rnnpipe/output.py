"""Results for other programs, exactly as they are, and text for people, without control codes."""

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

OUTPUT = "standard output"
"""What errors call it."""


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HALVES = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")


def escape_controls(text: str) -> str:
    r"""The text with control characters spelled out, except tabs and line feeds.

    What is in data, names of files and error messages could otherwise clear a terminal, set its
    title or write over what is there. Halves of characters, which cannot be written, are spelled
    out too; bytes of names that are not UTF-8 stay as they are.

    Example:
        >>> print(escape_controls("a\x1b[2Jb\rc"))
        a\x1b[2Jb\x0dc
    """
    if text.isprintable():
        return text
    text = _HALVES.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
    # Bytes of which each is half of a control character are one.
    text = text.encode(errors="surrogateescape").decode(errors="surrogateescape")
    return _CONTROLS.sub(lambda control: f"\\x{ord(control[0]):02x}", text)


def write_output(text: str) -> None:
    """Writes a result on the standard output at once: exactly for programs, escaped on a terminal.

    Rich would expand tabs, strip control characters and wrap lines.

    Raises:
        BrokenPipeError: the program that reads it has ended.
        OSError: it cannot be written, e.g. for a full disk; its `filename` is `OUTPUT`.
    """
    with naming_output():
        sys.stdout.write(escape_controls(text) if sys.stdout.isatty() else text)
        sys.stdout.flush()


@contextmanager
def naming_output() -> Iterator[None]:
    """Names the standard output in errors of the block, which writes to it: files name none."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as fault:
        fault.filename = OUTPUT
        raise


def prepare_streams() -> None:
    """Makes the standard streams usable: open, and UTF-8 in every locale, as all files of a run.

    The number of a closed one would go to the next file that is opened, and what libraries print
    into that file. File names that are not UTF-8 are printed as the bytes they are.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # for good
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def discard_output() -> None:
    """Drops what could not be written, which Python would try again and complain as it ends."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def write_notice(text: str) -> None:
    """Writes a notice on the standard error, where it is no part of a result."""
    write_error(f"note: {text}")


def write_error(text: str, program: str = "rnnpipe") -> None:
    """Writes a message on the standard error; one that nobody can read changes nothing else."""
    with suppress(OSError):
        sys.stderr.write(f"{program}: {escape_controls(text)}\n")
        sys.stderr.flush()
