"""Log-mel features: how loud each band of frequencies is, frame by frame."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rnnpipe.audio.mel_filters import mel_filters
from rnnpipe.audio.options import LogMelOptions
from rnnpipe.errors import UserError

Array = np.ndarray[Any, np.dtype[np.float32]]

_BLOCK = 256  # frames that are computed at once, so that memory does not grow with a recording


def check_samples(samples: np.ndarray[Any, Any]) -> None:
    """Checks that samples are those of one channel, and not integers of another scale.

    Raises:
        UserError: they have other axes, or are integers.
    """
    if samples.ndim != 1:
        expected, fix = "samples of one channel, of shape (samples,)", "mix them down"
        raise UserError("samples", expected, f"the shape {samples.shape}", fix)
    if samples.dtype.kind != "f":
        expected, fix = "floats from -1 to 1", "divide integers by full scale, see to_float"
        raise UserError("samples", expected, str(samples.dtype), fix)


class LogMel:
    """Log-mel features of samples: `log(filters · |FFT(window * frame)|² / Σ window² + floor)`.

    Frame t covers the samples from `t * hop_length`, `window_length` of them: no frame is centred
    or padded, so that those of a stream, in chunks of any lengths, are those of the whole, bit by
    bit. The window is Hann's. White noise of variance v has the energy v at every frequency, and
    the floor is that of the options, 10^(dB / 10).

    Args:
        options: rate, bands and frames.

    Call arguments:
        samples: float from -1 to 1, `(samples,)`.

    Returns:
        Features, float32 `(frames, mels)`; without a frame where there are fewer samples than one
        covers.

    Raises:
        UserError: see `check_samples`.

    Example:
        >>> log_mel = LogMel(LogMelOptions())
        >>> log_mel(np.zeros(16000, "float32")).shape, log_mel.count_frames(16000)
        ((98, 40), 98)

    Source: Davis and Mermelstein, Comparison of Parametric Representations for Monosyllabic Word
    Recognition in Continuously Spoken Sentences, 1980, without the cosine transform.
    """

    def __init__(self, options: LogMelOptions) -> None:
        self.options = options
        self.window_length = options.window_length
        self.hop_length = options.hop_length
        self.fft_length = options.fft_length

    @cached_property
    def window(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Hann's window, periodic, with a sum of squares of 1, `(window_length,)`."""
        hann = np.hanning(self.window_length + 1)[:-1]
        window: np.ndarray[Any, np.dtype[np.float64]] = hann / np.sqrt((hann**2).sum())
        return window

    @cached_property
    def filters(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The weight of each frequency in each band, `(mels, bins)`."""
        options = self.options
        frequencies = np.fft.rfftfreq(self.fft_length, 1 / options.rate)
        highest = options.highest or options.rate / 2
        return mel_filters(options.mels, frequencies, options.lowest, highest)

    def count_frames(self, samples: int) -> int:
        """How many frames so many samples have."""
        return max(0, 1 + (samples - self.window_length) // self.hop_length)

    def __call__(self, samples: np.ndarray[Any, Any]) -> Array:
        """The features; see the class."""
        check_samples(samples)
        count = self.count_frames(len(samples))
        features = np.empty((count, self.options.mels), np.float32)
        if count:
            frames = sliding_window_view(samples, self.window_length)[:: self.hop_length]
            for start in range(0, count, _BLOCK):
                block = slice(start, start + _BLOCK)
                features[block] = self._compute(frames[block])
        return features

    def _compute(self, frames: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        # In float32, the rounding errors of a loud tone would be the energy of all other bands.
        spectra = np.fft.rfft(frames * self.window, self.fft_length)
        power = spectra.real**2 + spectra.imag**2
        # A product of matrices would depend on how many frames there are, in its last bits.
        energy: np.ndarray[Any, Any] = np.einsum("tf,mf->tm", power, self.filters)
        return np.log(energy + self.options.floor_energy)
