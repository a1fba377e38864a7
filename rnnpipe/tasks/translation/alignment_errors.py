"""How well the attention of a translator agrees with given alignments."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.metrics.alignments import alignment_error_rate
from rnnpipe.tasks.network import make_function
from rnnpipe.text.tokens import PAD
from rnnpipe.training.guided_alignment import ALIGNMENT


def measure_alignment_errors(model: keras.Model, batches: tf.data.Dataset) -> float:
    """The alignment error rate of tokens: each target token is linked to what it attends to most.

    The model reads the references, so that their tokens are those that the links are of.

    Args:
        model: what `build_translator` made.
        batches: of (inputs, targets), whose inputs have the given alignments.
    """
    call = make_function(model)
    found, given = [], []
    for inputs, _ in batches.as_numpy_iterator():
        read = {name: value for name, value in inputs.items() if name != ALIGNMENT}
        alignments = call(read)["alignments"]
        # Besides the start token the decoder reads as many tokens as it is to write before the end.
        lengths = np.count_nonzero(read["target"] != PAD, axis=1) - 1
        for weights, links, length in zip(alignments, inputs[ALIGNMENT], lengths, strict=True):
            found.append(list(enumerate(weights[:length].argmax(axis=-1).tolist())))
            given.append(_pairs(links))
    return alignment_error_rate(found, given)


def _pairs(links: Any) -> list[tuple[int, int]]:
    return [(target, source) for target, source in np.argwhere(links > 0).tolist()]
