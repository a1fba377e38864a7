"""The mel scale, without NumPy, so that a config can be checked by it."""

import math


def hertz_to_mel(hertz: float) -> float:
    """The mel scale, on which equal steps sound equally far apart: `2595 log10(1 + f / 700)`.

    Example:
        >>> round(hertz_to_mel(1000.0))
        1000

    Source: O'Shaughnessy, Speech Communication: Human and Machine, 1987.
    """
    return 2595 * math.log10(1 + hertz / 700)
