"""Samples as 16-bit integers, as files and records store them, and as numbers from -1 to 1."""

from typing import Any

import numpy as np

FULL_SCALE = 1 << 15
"""The 16-bit integer, one beyond the largest, that is 1.0."""


def to_float(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The samples as float32 from -1, included, to 1, excluded.

    Args:
        samples: 16-bit integers, of any shape.

    Example:
        >>> to_float(np.array([-32768, 0, 16384], "int16")).tolist()
        [-1.0, 0.0, 0.5]
    """
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


def to_int16(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The samples as 16-bit integers: rounded, and those beyond full scale clipped.

    Args:
        samples: numbers, of any shape; 1.0 is full scale.

    Example:
        >>> to_int16(np.array([-1.5, 0.5, 1.0])).tolist()
        [-32768, 16384, 32767]
    """
    scaled = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    rounded: np.ndarray[Any, np.dtype[np.int16]] = scaled.astype(np.int16)
    return rounded
