"""Pictures of a user's own."""

from typing import Any

import numpy as np

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.images import Fit, read_image


def read_photo(path: str, size: int, fit: Fit) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pixels of an image that `predict` was given, as a record would have them.

    Args:
        path: what `--image` was.
        size: height and width of the result, in pixels.
        fit: how an image that is not square becomes square.

    Returns:
        uint8, `(size, size, 3)`.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return np.asarray(read_image(path, size, fit))
    except BadRecord as bad:
        raise UserError(
            f"--image {path}", "an image that can be read", bad.reason, "name another file"
        ) from bad
