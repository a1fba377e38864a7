"""Imports without the messages of compiled libraries."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_import() -> Iterator[None]:
    """Imports in this block print nothing from compiled code; Python's exceptions pass as ever.

    TensorFlow reports missing GPU libraries while it is imported, before any log level counts.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
