"""Graphs as files of LiteRT, once TensorFlow Lite, in its own operations alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.exports.function import Compute
from rnnpipe.quiet import quiet_import
from rnnpipe.tasks.network import Arrays, Graph

SUFFIX = ".tflite"
_FOREIGN_OPERATION = re.compile(r"'(tf\.\w+)' op")


def write_litert(graph: Graph, path: Path) -> None:
    """Writes a graph as a file of LiteRT.

    Args:
        graph: what its signature `serving_default` computes.
        path: where to write it.

    Raises:
        UserError: the graph has operations that LiteRT has not.
    """
    import tensorflow as tf

    traced = graph.trace().get_concrete_function()
    module = tf.Module()
    module.weights = list(traced.graph.variables)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        content = converter.convert()
    except Exception as error:
        raise _explain(error, path) from error
    path.write_bytes(content)


def open_litert(path: Path, outputs: Sequence[str]) -> Compute:
    """What LiteRT computes of a file, without Keras and its backends.

    Args:
        path: of the file.
        outputs: their names; the file has them itself.
    """
    del outputs
    with quiet_import():  # it names its delegates
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=path.read_bytes())
        interpreter.allocate_tensors()
    run = interpreter.get_signature_runner("serving_default")

    def compute(arrays: Arrays) -> Arrays:
        return {name: np.array(output) for name, output in run(**arrays).items()}

    return compute


def _explain(error: Exception, path: Path) -> UserError:
    operations = sorted(set(_FOREIGN_OPERATION.findall(str(error))))
    return UserError(
        f"--format litert, {path.stem}",
        "a graph of LiteRT's own operations",
        ", ".join(operations) or str(error).strip().partition("\n")[0],
        "export it as onnx, or choose other parts of the model",
    )
