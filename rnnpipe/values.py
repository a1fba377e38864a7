"""The values of tensors, for checks of arguments: those of a graph are not known yet."""

from typing import Any

import numpy as np

from rnnpipe import ops


def known_values(tensor: Any) -> np.ndarray[Any, Any] | None:
    """The values of a number, a list, an array or an eager tensor of any backend.

    Args:
        tensor: any of these, or a tensor of a graph, a trace or a symbolic call.

    Returns:
        An array, or None where the values are not known.

    Example:
        >>> known_values([1, 2]).tolist(), known_values(ops.array([3])).tolist()
        ([1, 2], [3])
        >>> import keras
        >>> known_values(keras.Input((2,))) is None
        True
    """
    try:
        return np.asarray(ops.convert_to_numpy(tensor))
    except (NotImplementedError, TypeError, ValueError):  # of TensorFlow, JAX and Keras
        return None
