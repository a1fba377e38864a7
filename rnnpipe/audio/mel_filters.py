"""The triangular filters that sum a spectrum into bands of equal width on the mel scale."""

from typing import Any

import numpy as np

from rnnpipe.audio.mel_scale import hertz_to_mel


def mel_filters(
    mels: int, frequencies: np.ndarray[Any, Any], lowest: float, highest: float
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The weight of each frequency of a spectrum in each band.

    The centres of the bands lie equally far apart on the mel scale. A band's weights rise linearly
    on that scale from the centre of the band below it, where they are 0, to its own, where they
    would be 1, and fall to the centre of the band above.

    Args:
        mels: how many bands.
        frequencies: of the spectrum, in Hz, `(bins,)`.
        lowest: where the first band begins, in Hz.
        highest: where the last band ends, in Hz.

    Returns:
        Weights, `(mels, bins)`; those of a band that is narrower than the distance of frequencies
        may all be 0.
    """
    edges = np.linspace(hertz_to_mel(lowest), hertz_to_mel(highest), mels + 2)[:, None]
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]  # (mels, 1)
    places = np.array([hertz_to_mel(frequency) for frequency in frequencies])  # (bins,)
    rising, falling = (places - lower) / (centre - lower), (upper - places) / (upper - centre)
    filters: np.ndarray[Any, np.dtype[np.float64]] = np.maximum(0.0, np.minimum(rising, falling))
    return filters
