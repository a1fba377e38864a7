"""The samples of a user's own recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rnnpipe.audio import to_int16
from rnnpipe.errors import BadRecord, UserError
from rnnpipe.tasks.speech.transcripts import Array


def read_samples(sound: Any, rate: int) -> Array:
    """The samples of a recording, int16 `(samples,)`; see `read_chunks`."""
    return np.concatenate([np.zeros(0, np.int16), *read_chunks(sound, rate)])


def read_chunks(sound: Any, rate: int) -> Iterator[Array]:
    """The samples of a recording, int16, chunk by chunk.

    Args:
        sound: the path of a file, the bytes of one, or samples at `rate`: int16, or float from -1
            to 1, `(samples,)`.
        rate: samples per second.

    Raises:
        UserError: it cannot be read.
    """
    if isinstance(sound, np.ndarray):
        yield _check_samples(sound)
        return
    if isinstance(sound, bytes):
        with TemporaryDirectory() as folder:
            path = Path(folder, "sound")
            path.write_bytes(sound)
            yield from _read_file(path, rate, "--audio")
        return
    yield from _read_file(sound, rate, f"--audio {sound}")


def _read_file(path: str | Path, rate: int, where: str) -> Iterator[Array]:
    from rnnpipe.sources.audio.decoding import read_sound

    try:
        for chunk in read_sound(path, rate):
            yield chunk.samples
    except BadRecord as bad:
        fix = "name another file"
        raise UserError(where, "a sound that can be read", bad.reason, fix) from bad


def _check_samples(samples: Array) -> Array:
    if samples.ndim != 1 or samples.dtype.kind not in "if":
        got = f"{samples.dtype} of the shape {samples.shape}"
        fix = "mix its channels down, and pass int16, or float from -1 to 1"
        raise UserError("--audio", "samples of one channel", got, fix)
    if samples.dtype.kind == "i":
        if samples.dtype != np.int16:
            fix = "pass int16, or float from -1 to 1"
            raise UserError("--audio", "samples of 16 bits", str(samples.dtype), fix)
        return samples
    if not np.isfinite(samples).all():
        raise UserError("--audio", "samples that are numbers", "NaN or infinity", "correct them")
    return to_int16(samples)
