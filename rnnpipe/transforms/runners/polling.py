"""Polls the progress of workers: local runners report it only at the end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnpipe.storage.store_path import StorePath

_SECONDS = 0.5
_STORE_SECONDS = 5.0  # each poll of a store is a request, which costs money


@contextmanager
def poll_in_background(folder: Path, poll: Callable[[], None]) -> Iterator[None]:
    """Calls a function repeatedly, in a thread of its own, until the block ends.

    Args:
        folder: what is polled; an object store is polled less often.
        poll: the function. It may raise `OSError` or `ValueError`, as for files that are being
            removed or a store that does not answer: it is called again.
    """
    done = threading.Event()
    seconds = _STORE_SECONDS if isinstance(folder, StorePath) else _SECONDS

    def run() -> None:
        while not done.wait(seconds):
            try:
                poll()
            except (OSError, ValueError):  # a `UserError` is a ValueError
                continue

    watcher = threading.Thread(target=run, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
