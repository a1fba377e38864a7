"""A look from time to time at how far workers are: local runners tell at the end only."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnpipe.storage.paths import StorePath

_SECONDS = 0.5
_SECONDS_OF_STORES = 5.0  # there every look is a request, and is paid for


@contextmanager
def poll_in_background(folder: Path, look: Callable[[], None]) -> Iterator[None]:
    """Looks again and again, in a thread of its own, until the block ends.

    Args:
        folder: where there is something to see.
        look: what is done. It may meet with files that are just being removed, or with a store
            that does not answer: the next look is another one.
    """
    done = threading.Event()
    seconds = _SECONDS_OF_STORES if isinstance(folder, StorePath) else _SECONDS

    def watch() -> None:
        while not done.wait(seconds):
            try:
                look()
            except (OSError, ValueError):  # a `UserError` is a ValueError
                continue

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
