"""Mean and variance of the features of sound, by which a model normalises them."""

from itertools import islice
from typing import Any

import numpy as np

from rnnpipe.audio import LogMel, LogMelOptions, to_float
from rnnpipe.records.directory import RecordsDirectory

Array = np.ndarray[Any, np.dtype[Any]]

_MEASURED = 300  # training records at most: their order is random
_LEAST = 1e-3  # a band that is always silent does not vary


def measure_features(
    records: RecordsDirectory, log_mel: LogMelOptions | None, mels: int
) -> tuple[list[float], list[float]]:
    """The mean and the variance of each feature over the frames of the first training records.

    Args:
        records: where they are.
        log_mel: what makes features of samples; None: the records hold features.
        mels: features of a frame.

    Returns:
        Both of `mels` numbers; of no records zeros and ones.
    """
    compute = None if log_mel is None else LogMel(log_mel)
    field = "features" if compute is None else "samples"
    count, total, squares = 0, np.zeros(mels), np.zeros(mels)
    for record in islice(records.read("train", [field]), _MEASURED):
        values = record[field]
        features = np.asarray(values if compute is None else compute(to_float(values)), "float64")
        count += len(features)
        total += features.sum(axis=0)
        squares += (features**2).sum(axis=0)
    if not count:
        return [0.0] * mels, [1.0] * mels
    mean = total / count
    variance = np.maximum(squares / count - mean**2, _LEAST)
    return mean.tolist(), variance.tolist()
