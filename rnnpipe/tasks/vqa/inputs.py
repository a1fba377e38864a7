"""What the model of visual question answering reads of a record, or of a user's question."""

from collections.abc import Sequence

import numpy as np


def make_inputs(image: np.ndarray, tokens: Sequence[int]) -> dict[str, np.ndarray]:
    """A model's inputs for one question about one image, or its features."""
    return {
        "image": image[None],
        "image_index": np.zeros(1, "int32"),
        "question": np.array([tokens], "int32"),
    }
