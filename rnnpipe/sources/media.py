"""Files of sound and video, as PyAV opens them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rnnpipe.errors import BadRecord
from rnnpipe.storage.paths import as_path
from rnnpipe.storage.store_path import StorePath
from rnnpipe.storage.whole_files import check_regular

if TYPE_CHECKING:
    import av

_LISTS = ("hls", "dash", "imf", "concat", "webm_dash_manifest")  # FFmpeg's formats of playlists


@contextmanager
def open_media(
    path: str | Path, step: str, options: Mapping[str, str]
) -> Iterator[av.container.InputContainer]:
    """A file in any format that FFmpeg knows, whatever it is called; of a disk or of a store.

    Args:
        path: the file.
        step: what is being done, e.g. `read video`.
        options: FFmpeg's.

    Raises:
        BadRecord: it is a list of other files.
    """
    import av  # configs are read where it is not installed

    placed = as_path(path)
    with ExitStack() as opened:
        # FFmpeg opens files itself, and reads those of a store through their methods.
        stored = isinstance(placed, StorePath)
        if not stored:
            check_regular(placed)
        file = opened.enter_context(placed.open("rb")) if stored else str(path)
        # Some of the file is decoded already to find out what is in it.
        container = av.open(file, "r", options=dict(options), metadata_errors="ignore")
        opened.enter_context(container)
        if container.format.name in _LISTS:
            raise BadRecord(step, "a list of other files, which may lie anywhere")
        yield container


@contextmanager
def reporting_media(
    read_step: str, decode_step: str, describe: Callable[[str, Exception], BadRecord]
) -> Iterator[None]:
    """What PyAV raises in this block becomes a bad record.

    Args:
        read_step: the step of faults of the file system.
        decode_step: the step of faults of the data.
        describe: makes a bad record of the step and what was raised.
    """
    import av  # as above

    try:
        yield
    except OSError as fault:  # FFmpeg's own faults of data are ValueErrors
        raise describe(read_step, fault) from fault
    except (av.FFmpegError, UnicodeError) as fault:
        raise describe(decode_step, fault) from fault


def reason_of(fault: Exception) -> str:
    """Why reading a file failed, as PyAV or the system has it."""
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
