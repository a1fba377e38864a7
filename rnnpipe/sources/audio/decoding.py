"""Sound: from whatever file there is to samples at one rate, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rnnpipe.audio import to_int16
from rnnpipe.errors import BadRecord
from rnnpipe.sources.audio.frames import HIGHEST_RATE, Samples, mix_down
from rnnpipe.sources.audio.resampling import Resampler
from rnnpipe.sources.audio.truncation import check_length
from rnnpipe.sources.media import open_media, reason_of, reporting_media

if TYPE_CHECKING:
    import av

MAX_GAP = 300
"""For how many seconds a recording may be interrupted, or for as many as it has sound: where there
is more of it, times are damaged."""

_READ, _DECODE = "read sound", "decode sound"
# What decoders and containers round times to; a longer gap is one.
_LEAST_GAP = Fraction(1, 10)
# A frame is in memory as a whole: a damaged header may ask for gigabytes. Checksums, where formats
# have them, are compared only if that is asked for.
_OPTIONS = {"max_samples": str(10 * HIGHEST_RATE), "err_detect": "crccheck"}
_STRICT = {**_OPTIONS, "err_detect": "crccheck+explode"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples of a recording that follow those of the chunk before.

    Args:
        samples: int16, `(samples,)`.
        clipped: the numbers of clipped samples in the recording, in order; see `mix_down`. They may
            lie some milliseconds ahead of the chunk, as a resampler holds samples back.
        source_rate: samples per second of the file.
    """

    samples: np.ndarray[Any, np.dtype[np.int16]]
    clipped: np.ndarray[Any, np.dtype[np.int64]]
    source_rate: int


def read_sound(path: str | Path, rate: int) -> Iterator[Chunk]:
    """The sound of a file, one channel at one rate; a chunk at a time is in memory.

    Channels are averaged. Where the times of a file have a gap, there is silence, so that sample n
    is that of n / `rate` seconds after the sound begins; in a video, after the video does.

    Args:
        path: a file in any format that FFmpeg knows, whatever it is called, also a video.
        rate: samples per second; a file of another rate is resampled.

    Raises:
        BadRecord: the file cannot be read (step `read sound`), or has no sound, or is damaged or
            cut off (step `decode sound`); it is raised where the damage is.

    Example:
        >>> chunks = [chunk.samples for chunk in read_sound("a.flac", 16000)]  # doctest: +SKIP
        >>> np.concatenate(chunks).shape  # doctest: +SKIP
        (48000,)
    """
    decoder = _Decoder(rate)
    with _reporting(decoder), open_media(path, _READ, _OPTIONS) as container:
        stream = _find_stream(container)
        decoder.origin = _find_start(container)
        for frame in container.decode(stream):
            yield from decoder.decode(frame)
        yield from decoder.finish()
        if not decoder.elapsed:
            raise BadRecord(_DECODE, "it has no samples")
        check_length(path, container, stream, decoder.elapsed, decoder.gaps)


def _reporting(decoder: _Decoder) -> AbstractContextManager[None]:
    def describe(step: str, fault: Exception) -> BadRecord:
        after = f", after {float(decoder.elapsed):.2f} seconds" if decoder.elapsed else ""
        return BadRecord(step, f"{reason_of(fault)}{after}")

    return reporting_media(_READ, _DECODE, describe)


def _find_stream(container: av.container.InputContainer) -> av.AudioStream:
    stream = container.streams.best("audio")
    if stream is None or stream.type != "audio":
        raise BadRecord(_DECODE, "there is no sound in it")
    if stream.codec_context is None:
        raise BadRecord(_DECODE, "nothing says how it is encoded")
    stream.codec_context.options = dict(_STRICT)
    stream.codec_context.thread_count = 1  # Beam's workers share the machine already
    return cast("av.AudioStream", stream)


def _find_start(container: av.container.InputContainer) -> Fraction | None:
    """When the video begins that the sound belongs to; None: there is none."""
    import av  # configs of sources are read where it is not installed

    cover = av.stream.Disposition.attached_pic
    for video in container.streams.video:
        if not video.disposition & cover and video.start_time is not None and video.time_base:
            return video.start_time * video.time_base
    return None


class _Decoder:
    """Frames → chunks, with silence where there are gaps.

    Args:
        rate: samples per second of the chunks.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler: Resampler | None = None
        self.origin: Fraction | None = None
        self.elapsed = Fraction(0)
        """How many seconds there have been."""
        self.gaps = Fraction(0)
        """How many of them were gaps."""
        self._is_first = True

    def decode(self, frame: av.AudioFrame) -> Iterator[Chunk]:
        """The chunks of a frame."""
        samples, clipped = mix_down(frame)
        gap = self._measure_gap(frame)
        for second in range(0, gap, frame.sample_rate):
            silence = np.zeros(min(gap - second, frame.sample_rate), np.float32)
            yield from self._convert(silence, clipped[:0], frame.sample_rate)
        yield from self._convert(samples, clipped, frame.sample_rate)

    def finish(self) -> Iterator[Chunk]:
        """The chunk of what the resampler still holds."""
        if self._resampler is not None:
            rest, rate = self._resampler.finish(), self._resampler.source_rate
            yield Chunk(to_int16(rest), np.zeros(0, np.int64), rate)
            self._resampler = None

    def _measure_gap(self, frame: av.AudioFrame) -> int:
        """How many samples are missing before a frame."""
        if frame.pts is None or frame.time_base is None:
            return 0
        time = frame.pts * frame.time_base
        if self._is_first:
            self.origin = time if self.origin is None else min(self.origin, time)
        least, self._is_first = Fraction(0) if self._is_first else _LEAST_GAP, False
        gap = time - cast(Fraction, self.origin) - self.elapsed
        if gap <= least:
            return 0
        sound, self.gaps = self.elapsed - self.gaps, self.gaps + gap
        if self.gaps > MAX_GAP and self.gaps > sound:
            reason = f"gaps of {float(self.gaps):,.0f} seconds in {float(sound):,.0f} of sound"
            raise BadRecord(_DECODE, reason)
        return round(gap * frame.sample_rate)

    def _convert(
        self, samples: Samples, clipped: np.ndarray[Any, np.dtype[np.int64]], source_rate: int
    ) -> Iterator[Chunk]:
        if self._resampler is None or self._resampler.source_rate != source_rate:
            yield from self.finish()
            self._resampler = Resampler(source_rate, self._rate)
        if len(clipped):
            first = int(self.elapsed * self._rate)
            clipped = np.unique(first + clipped * self._rate // source_rate)
        self.elapsed += Fraction(len(samples), source_rate)
        yield Chunk(to_int16(self._resampler.push(samples)), clipped, source_rate)
