"""The temporary files of a command, which nothing leaves behind."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rnnpipe.storage.leftovers import unfinished_folder


@contextmanager
def collecting_temporary_files() -> Iterator[None]:
    """Has the temporary files of the block, also of libraries and child processes, in one folder.

    It is removed when the block ends; where the process is killed, the next one does it. Without a
    place for it, temporary files go where they would go anyway.
    """
    default, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    with ExitStack() as stack:
        with suppress(OSError):
            parent = Path(tempfile.gettempdir())
            folder = stack.enter_context(unfinished_folder(parent, "rnnpipe", mode=0o700))
            tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = default
            os.environ.pop("TMPDIR", None)
            if variable is not None:
                os.environ["TMPDIR"] = variable
