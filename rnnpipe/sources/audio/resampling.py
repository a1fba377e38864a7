"""Samples at another rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnpipe.sources.audio.frames import Samples

_FORMAT = "flt"


class Resampler:
    """Resamples one channel, chunk by chunk, with FFmpeg's windowed sinc filters (libswresample).

    The first sample stays at time 0. At an equal rate the samples are not touched.

    Args:
        source_rate: samples per second of what is pushed.
        rate: samples per second of what comes out.

    Example:
        >>> resampler = Resampler(48000, 16000)
        >>> parts = [resampler.push(np.zeros(4800, "float32")) for _ in range(2)]
        >>> len(np.concatenate([*parts, resampler.finish()]))
        3200
    """

    def __init__(self, source_rate: int, rate: int) -> None:
        self.source_rate, self.rate = source_rate, rate
        self._filter: Any = None
        if source_rate != rate:
            import av  # configs of sources are read where it is not installed

            self._filter = av.AudioResampler(format=_FORMAT, layout="mono", rate=rate)

    def push(self, samples: Samples) -> Samples:
        """The samples that are known once these are there, float32 `(samples,)`."""
        if self._filter is None or not len(samples):
            return samples
        import av  # as above

        frame = av.AudioFrame.from_ndarray(samples[None], format=_FORMAT, layout="mono")
        frame.sample_rate = self.source_rate
        return _join(self._filter.resample(frame))

    def finish(self) -> Samples:
        """The samples at the end; nothing can be pushed any more."""
        return _join([] if self._filter is None else self._filter.resample(None))


def _join(frames: list[Any]) -> Samples:
    parts = [frame.to_ndarray()[0] for frame in frames]
    return np.concatenate([np.zeros(0, np.float32), *parts])
