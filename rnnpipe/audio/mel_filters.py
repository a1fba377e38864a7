"""The triangular filters that sum a spectrum into bands of equal width on the mel scale."""

from typing import Any

import numpy as np


def hertz_to_mel(hertz: Any) -> Any:
    """The mel scale, on which equal steps sound equally far apart: `2595 log10(1 + f / 700)`.

    Example:
        >>> round(hertz_to_mel(1000.0))
        1000

    Source: O'Shaughnessy, Speech Communication: Human and Machine, 1987.
    """
    return 2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0)


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
    places = hertz_to_mel(frequencies)  # (bins,)
    rising, falling = (places - lower) / (centre - lower), (upper - places) / (upper - centre)
    filters: np.ndarray[Any, np.dtype[np.float64]] = np.maximum(0.0, np.minimum(rising, falling))
    return filters
