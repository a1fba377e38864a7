"""Results on the standard output, for other programs: exactly as they are."""

import io
import sys


def write_output(text: str) -> None:
    """Writes a result on the standard output exactly, and at once.

    Rich would expand tabs, strip control characters and wrap lines.

    Raises:
        BrokenPipeError: the program that reads it has ended.
    """
    sys.stdout.write(text)
    sys.stdout.flush()


def use_utf8() -> None:
    """Makes the standard output UTF-8 in every locale, as all files of a run are.

    File names that are not UTF-8 are printed as the bytes they are.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def write_notice(text: str) -> None:
    """Writes a notice on the standard error, where it is no part of a result."""
    sys.stderr.write(f"rnnpipe: note: {text}\n")
    sys.stderr.flush()
