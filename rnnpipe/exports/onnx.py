"""Graphs as ONNX files, and how onnxruntime computes them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.exports.function import Compute
from rnnpipe.exports.loops import hoist_invariants, walk_nodes
from rnnpipe.tasks.network import Arrays, Graph

SUFFIX = ".onnx"
_OPSET = 17
_NEXT = "/next"  # what ends the name of an output that is called as an input


def write_onnx(graph: Graph, path: Path) -> None:
    """Writes a graph, loops of searches included, as one ONNX file.

    Names are those of the graph, but for outputs that are called as inputs, such as the states of
    a step, whose names have to differ in ONNX: `state/0` comes back as `state/0/next`.

    Args:
        graph: what the file computes.
        path: where to write it.

    Raises:
        UserError: an operation of the graph has no conversion.
    """
    import tensorflow as tf
    from tf2onnx import optimizer, tf_loader, tfonnx

    traced = graph.trace().get_concrete_function()
    outputs = traced.structured_outputs
    inputs = [tensor.name for tensor in traced.inputs if tensor.dtype != tf.resource]
    results = [tensor.name for tensor in traced.outputs]
    named = [name + _NEXT if name in graph.inputs else name for name in sorted(outputs)]
    names = dict(zip([*inputs, *results], [*graph.inputs, *named], strict=True))
    with tf.device("/cpu:0"):
        frozen = tf_loader.from_function(traced, inputs, results)
    with tf.Graph().as_default() as loaded:
        tf.import_graph_def(frozen, name="")
        converted = tfonnx.process_tf_graph(
            loaded,
            opset=_OPSET,
            custom_op_handlers=_HANDLERS,
            input_names=inputs,
            output_names=results,
            tensors_to_rename=names,
        )
    # It joins two reshapes without regard to axes that the second one takes from the first.
    chosen = {k: v for k, v in optimizer._optimizers.items() if k != "remove_back_to_back"}
    # To catch errors it copies the graph before each of forty steps, most of its time.
    optimized = optimizer.optimize_graph(converted, catch_errors=False, optimizers=chosen)
    model = optimized.make_model("rnnpipe")
    hoist_invariants(model.graph)
    if unknown := sorted({node.op_type for node in walk_nodes(model.graph) if not _is_known(node)}):
        fix = "write saved_model, or compute it in the layer by other operations"
        raise UserError("--format onnx", "operations that ONNX has", ", ".join(unknown), fix)
    path.write_bytes(model.SerializeToString())


def _is_known(node: Any) -> bool:
    """Whether the operators of ONNX have that of a node; tf2onnx leaves others as they are."""
    from onnx import defs

    try:
        defs.get_schema(node.op_type, _OPSET, node.domain)
    except defs.SchemaError:
        return False
    return True


def open_onnx(path: Path, outputs: Sequence[str]) -> Compute:
    """What onnxruntime computes of an ONNX file, without Keras and its backends.

    Args:
        path: of the file.
        outputs: their names, in the order of the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    # Steps of a loop are short: threads that spin until the next one take the cores from others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = _read_threads()
    session = onnxruntime.InferenceSession(
        path.read_bytes(), options, providers=["CPUExecutionProvider"]
    )

    def compute(arrays: Arrays) -> Arrays:
        return dict(zip(outputs, session.run(None, dict(arrays)), strict=True))

    return compute


def _read_threads() -> int:
    """The threads of an operation that the environment asks for; 0: as many as there are cores.

    `OMP_NUM_THREADS` is the variable of other runtimes, and may have a number for each level.
    """
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() else 0


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


def _select(context: Any, node: Any, name: str, arguments: Sequence[Any]) -> None:
    """Converts a choice to Where.

    tf2onnx multiplies by the condition instead, which makes NaN of infinite values that are not
    chosen, e.g. of logits of padding.
    """
    del arguments
    outputs = list(node.output)
    shape, dtype = context.get_shape(outputs[0]), context.get_dtype(outputs[0])
    context.remove_node(node.name)
    context.make_node(
        "Where", list(node.input), name=name, outputs=outputs, shapes=[shape], dtypes=[dtype]
    )


_HANDLERS: dict[str, Any] = {"XlaDynamicUpdateSlice": (_update_row, []), "SelectV2": (_select, [])}
