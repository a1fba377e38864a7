"""Graphs as TensorFlow SavedModels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnpipe.exports.function import Compute
from rnnpipe.tasks.network import Arrays, Graph

SUFFIX = ""  # a folder


def write_saved_model(graph: Graph, path: Path) -> None:
    """Writes a graph as a SavedModel, which TensorFlow alone can run, with a signature to serve.

    Args:
        graph: what its signature `serving_default` computes.
        path: the folder to write.
    """
    import tensorflow as tf

    traced = graph.trace()
    module = tf.Module()
    module.weights = list(traced.get_concrete_function().graph.variables)
    module.resources = list(graph.resources)
    # Exports serve inference alone; stored gradients would make them larger.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(path), signatures=traced, options=options)


def open_saved_model(path: Path, outputs: Sequence[str]) -> Compute:
    """What TensorFlow computes of a SavedModel, without Keras.

    Args:
        path: of the folder.
        outputs: their names; a SavedModel has them itself.
    """
    import tensorflow as tf

    del outputs
    module = tf.saved_model.load(str(path))
    signature = module.signatures["serving_default"]

    def compute(arrays: Arrays) -> Arrays:
        tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        return {name: np.asarray(output) for name, output in signature(**tensors).items()}

    # The signature holds the variables weakly, by its module.
    compute.module = module  # type: ignore[attr-defined]
    return compute
