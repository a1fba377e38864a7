"""Imports without the messages of libraries."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet_import() -> Iterator[None]:
    """Imports in this block print nothing from compiled code; Python's exceptions pass as ever.

    TensorFlow reports missing GPU libraries while it is imported, before any log level counts, and
    Beam warns of what it would need in a cloud. From then on TensorFlow's compiled code is silent,
    unless `TF_CPP_MIN_LOG_LEVEL` is set.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    disabled = logging.root.manager.disable
    logging.disable(max(disabled, logging.WARNING))
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        logging.disable(disabled)


def log_errors_only() -> None:
    """Has libraries log no missing optional parts, deprecations and hints to their developers.

    TensorFlow has a handler and a level of its own.
    """
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextmanager
def silencing(library: str) -> Iterator[None]:
    """Drops what a library logs in this block, whose exceptions say the same."""
    logger = logging.getLogger(library)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def import_keras() -> Any:
    """Keras, imported without the messages of its backend.

    Whatever builds a model first calls this: the modules of layers and models, which import Keras
    themselves, find it imported. Most commands build no model, and do not wait for it.
    """
    with quiet_import():
        import keras  # noqa: PLC0415  # seconds, see above
    return keras
