"""The folders of new runs."""

import errno
import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.runs.begin import TIME
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.storage.leftovers import unfinished_folder


def create_run(
    runs_dir: Path, name: str, fill: Callable[[RunDirectory], object] = lambda run: None
) -> RunDirectory:
    """A new folder for a run of the config called `name`, called by the time.

    It appears with its first files or not at all.

    Args:
        runs_dir: the folder of all runs.
        name: of the config.
        fill: writes the first files.

    Raises:
        UserError: it cannot be made.
    """
    folder, started = runs_dir / name, datetime.now().strftime(TIME)
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = stack.enter_context(unfinished_folder(folder, started)) / started
            unfinished.mkdir()
        except FileExistsError:
            raise _unwritable(runs_dir, "a file of that name") from None
        except OSError as error:
            raise _unwritable(runs_dir, str(error.strerror)) from error
        fill(RunDirectory(unfinished))
        for attempt in range(1, 1000):
            path = folder / (started if attempt == 1 else f"{started}-{attempt}")
            try:
                if not path.exists():  # another run may have begun in the same second
                    return RunDirectory(unfinished.rename(path))
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
    raise _unwritable(runs_dir, "a thousand runs begun in one second")


def check_runs_dir(runs_dir: Path) -> None:
    """Refuses, before any long work, a place where no run can be written.

    Raises:
        UserError: neither it nor a folder above it can be written to.
    """
    existing = next(
        folder for folder in (runs_dir, *runs_dir.absolute().parents) if folder.exists()
    )
    if not existing.is_dir():
        raise _unwritable(runs_dir, f"{existing} is a file")
    if not os.access(existing, os.W_OK):
        raise _unwritable(runs_dir, f"{existing} cannot be written to")


def _unwritable(runs_dir: Path, got: str) -> UserError:
    return UserError(
        str(runs_dir), "a folder to write runs to", got, "choose another folder for runs"
    )
