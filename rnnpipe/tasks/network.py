"""The trained network of a predictor: functions from named arrays to named arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

Array = np.ndarray[Any, np.dtype[Any]]

Arrays = Mapping[str, Array]
"""Arrays by name, with the rows of a batch on their first axis."""


Function = Callable[..., Arrays]
"""One function of a network, e.g. the classifier, or the search for translations: from the arrays
of a batch to its outputs. Its keywords are settings that all rows share, hashable."""

Network = Mapping[str, Function]
"""The functions of a trained network by name: `call` of classifiers, `search` of translators and
captioners, `draw` of language models. A Keras model gives them, see `Task.make_network`; so may
anything else that computes the same."""


def make_function(model: keras.Model) -> Function:
    """The forward pass of a Keras model as a function of a network, compiled.

    Evaluation calls it too, so that scores and predictions are those of one graph.

    Args:
        model: takes its inputs by name, or one alone, and returns outputs by name.
    """
    import tensorflow as tf

    takes_names = isinstance(getattr(model, "input", None), Mapping)

    @tf.function(reduce_retracing=True)
    def forward(arrays: Mapping[str, tf.Tensor]) -> Mapping[str, tf.Tensor]:
        alone = len(arrays) == 1 and not takes_names
        outputs = model(next(iter(arrays.values())) if alone else arrays, training=False)
        return {name: output for name, output in outputs.items() if output is not None}

    def call(arrays: Arrays) -> Arrays:
        tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        return {name: output.numpy() for name, output in forward(tensors).items()}

    return call


def softmax(logits: Array) -> Array:
    """Probabilities of logits, over the last axis.

    Example:
        >>> softmax(np.array([0.0, 0.0])).tolist()
        [0.5, 0.5]
    """
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    normalised: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return normalised
