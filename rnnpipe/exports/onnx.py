"""Graphs as ONNX files, and how onnxruntime computes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.storage.atomic import atomic_path
from rnnpipe.tasks.network import Arrays

if TYPE_CHECKING:
    from rnnpipe.exports.graph import Graph

OPSET = 17


def write_onnx(graph: Graph, path: Path) -> None:
    """Writes a graph, loops of searches included, as one ONNX file.

    Args:
        graph: what the file computes.
        path: where to write it, wholly or not at all.
    """
    import tf2onnx

    model, _ = tf2onnx.convert.from_function(
        graph.trace(),
        input_signature=graph.signature,
        opset=OPSET,
        custom_op_handlers={"XlaDynamicUpdateSlice": (_update_row, [])},
    )
    with atomic_path(path, durable=True) as unfinished:
        unfinished.write_bytes(model.SerializeToString())


class OnnxFunction:
    """A function of a network that onnxruntime computes, without Keras and its backends.

    Args:
        path: of the file.
        threads: of the computation; by default as many as there are cores.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._outputs = [each.name for each in self._session.get_outputs()]

    def __call__(self, arrays: Arrays) -> Arrays:
        """The outputs of a batch by name."""
        given = {name: np.ascontiguousarray(arrays[name]) for name in self._inputs}
        return dict(zip(self._outputs, self._session.run(None, given), strict=True))


def _update_row(context: Any, node: Any, name: str, arguments: Sequence[Any]) -> None:
    """Converts `x[t] = update[0]`, the one form of slice updates in loops, to ScatterND.

    tf2onnx knows no slice updates. Searches write row t of a buffer at step t, with `update` of
    one row and indices `(t, 0, 0, …)`.
    """
    from onnx import TensorProto

    del arguments
    buffer, update, indices = node.input
    rows = (context.get_shape(update) or [None])[0]
    if rows != 1:
        raise NotImplementedError(f"{name}: an update of {rows} rows; only one has a conversion")
    outputs = list(node.output)
    shape, dtype = context.get_shape(outputs[0]), context.get_dtype(outputs[0])
    context.remove_node(node.name)

    def constant(label: str, values: Sequence[Any]) -> str:
        return str(context.make_const(f"{name}_{label}", np.array(values, "int64")).output[0])

    first = context.make_node("Slice", [indices, constant("0", [0]), constant("1", [1])])
    row = context.make_node("Reshape", [first.output[0], constant("shape", [1, 1])])
    row = context.make_node("Cast", [row.output[0]], attr={"to": TensorProto.INT64})
    context.make_node(
        "ScatterND",
        [buffer, row.output[0], update],
        name=node.name,
        outputs=outputs,
        shapes=[shape],
        dtypes=[dtype],
    )
