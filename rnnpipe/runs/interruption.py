"""What is left to do of a run that is interrupted."""

from collections.abc import Iterator
from contextlib import contextmanager

from rnnpipe.runs.directory import RunDirectory


@contextmanager
def resumable(run: RunDirectory) -> Iterator[None]:
    """Adds to a `KeyboardInterrupt` of the block, as a note, how the run is continued.

    Example:
        >>> from pathlib import Path
        >>> try:
        ...     with resumable(RunDirectory(Path("runs/vqa/20260101-120000"))):
        ...         raise KeyboardInterrupt
        ... except KeyboardInterrupt as stop:
        ...     print(stop.__notes__[0])
        continue with `rnnpipe resume runs/vqa/20260101-120000`
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note(f"continue with `rnnpipe resume {run.path}`")
        raise
