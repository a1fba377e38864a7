"""The sound of a frame of PyAV: of any format and channels, as one channel of floats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.errors import BadRecord

if TYPE_CHECKING:
    import av

Samples = np.ndarray[Any, np.dtype[np.float32]]

LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
"""Between which the samples per second of a file must lie: others are damage."""

_LOUDEST = 1e6  # far beyond full scale
_RUN = 3  # samples in a row at full scale: a peak that just reaches it has one or two
_STEP = "decode sound"


def mix_down(frame: av.AudioFrame) -> tuple[Samples, np.ndarray[Any, np.dtype[np.int64]]]:
    """The mean of a frame's channels, from -1 to 1, and the indices of clipped samples.

    A sample is clipped if it is one of three or more in a row that are at full scale in some
    channel. Integers have their full scale at their last value, fractions at 1.

    Args:
        frame: as it was decoded.

    Raises:
        BadRecord: its rate is absurd, or its samples are no numbers (step `decode sound`).
    """
    if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE:
        bounds = f"from {LOWEST_RATE:,} to {HIGHEST_RATE:,}"
        raise BadRecord(_STEP, f"{frame.sample_rate:,} samples per second, expected {bounds}")
    channels = _as_channels(frame)
    if channels.dtype.kind == "f" and not np.isfinite(channels).all():
        raise BadRecord(_STEP, "samples that are no finite numbers")
    clipped = _find_runs(_is_full(channels))
    floats = _as_float(channels)
    return floats[0] if len(floats) == 1 else floats.mean(axis=0), clipped


def _as_channels(frame: av.AudioFrame) -> np.ndarray[Any, Any]:
    """The samples as they are stored, `(channels, samples)`."""
    if frame.format.name.startswith("s64"):  # which PyAV makes no array of
        import av  # configs of sources are read where it is not installed

        (frame,) = av.AudioResampler(format="dblp").resample(frame)
    stored = frame.to_ndarray()
    if frame.format.is_planar:
        return stored
    return stored.reshape(-1, frame.layout.nb_channels).T


def _is_full(channels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Which samples are at full scale in some channel, `(samples,)`."""
    match channels.dtype.itemsize * 8 if channels.dtype.kind != "f" else 0:
        case 8:
            lowest, highest = 0, 255
        case 16:
            lowest, highest = -32767, 32767
        case 32:  # also of 24 bits, whose last value is this one
            lowest, highest = -0x7FFFFF00, 0x7FFFFF00
        case _:
            lowest, highest = -1, 1
    return np.asarray(((channels <= lowest) | (channels >= highest)).any(axis=0))


def _find_runs(is_full: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The indices of samples in runs of `_RUN` or more."""
    if not is_full.any():  # as nearly always
        return np.zeros(0, np.int64)
    starts = is_full[: 1 - _RUN] & is_full[1 : 2 - _RUN] & is_full[_RUN - 1 :]
    indices = np.flatnonzero(starts)
    return np.unique(indices[:, None] + np.arange(_RUN))


def _as_float(channels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if channels.dtype.kind == "f":  # files may have any number, which float32 may not
        return channels.clip(-_LOUDEST, _LOUDEST).astype(np.float32)
    if channels.dtype == np.uint8:
        return (channels.astype(np.float32) - 128) / 128
    return channels.astype(np.float32) / -np.float32(np.iinfo(channels.dtype).min)
