"""WAV files of samples."""

import io
import wave
from typing import Any

import numpy as np

from rnnpipe.audio.samples import FULL_SCALE, to_int16


def make_wav(samples: np.ndarray[Any, Any], rate: int) -> bytes:
    """The bytes of a WAV file, of 16 bits or, where integers need them, of 32.

    Args:
        samples: `(samples,)` or `(samples, channels)`: integers, or numbers from -1 to 1.
        rate: samples per second.

    Example:
        >>> make_wav(np.zeros(8, "int16"), 8000)[:4]
        b'RIFF'
    """
    if samples.dtype.kind == "f":
        samples = to_int16(samples)
    bits = 16 if np.abs(samples.astype(np.int64)).max(initial=0) <= FULL_SCALE else 32
    stored = np.clip(samples, -(1 << bits - 1), (1 << bits - 1) - 1)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        writer.setsampwidth(bits // 8)
        writer.setframerate(rate)
        writer.writeframes(stored.astype(f"<i{bits // 8}").tobytes())
    return file.getvalue()
