"""Perplexity under teacher forcing."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from rnnpipe.tasks.network import compile_here
from rnnpipe.training.token_targets import Perplexity


def measure_perplexity(model: keras.Model, batches: tf.data.Dataset) -> float:
    """The perplexity of a model with the true words as its inputs."""
    metric = Perplexity()

    @compile_here
    def add(inputs: Mapping[str, tf.Tensor], targets: tf.Tensor) -> None:
        metric.update_state(targets, model(inputs, training=False)["logits"])

    for inputs, targets in batches:
        add(inputs, targets)
    return float(metric.result())
