"""Quantized ONNX files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnpipe.quiet import quiet_import


def quantize_int8(path: Path) -> dict[str, int]:
    """Quantizes the weights of matrix products in an ONNX file, those in loops too.

    Of each column of a weight the largest absolute value becomes 63: with 7 bits the sums of
    products overflow on no processor, so that all of them give the same. What a weight is
    multiplied with is quantized to 8 bits as it comes, by the range of its values in the batch.
    Everything else stays float32: embeddings, biases, convolutions, and products without a weight.

    Args:
        path: the file, which is replaced.

    Returns:
        How many numbers of the weights have each dtype.
    """
    with quiet_import():  # it advises steps that change nothing here
        import onnx
        from onnxruntime.quantization import quantize_dynamic

        quantize_dynamic(
            onnx.load(path),
            path,
            op_types_to_quantize=["MatMul"],  # Gemm becomes one
            per_channel=True,
            reduce_range=True,
            extra_options={"EnableSubgraph": True},
        )
    return _count_weights(onnx.load(path).graph)


def _count_weights(graph: Any) -> dict[str, int]:
    from onnx import TensorProto

    names = {TensorProto.INT8: "int8", TensorProto.FLOAT: "float32"}
    counts = dict.fromkeys(names.values(), 0)
    for tensor in _find_tensors(graph):
        if tensor.data_type in names:
            counts[names[tensor.data_type]] += math.prod(tensor.dims)
    return counts


def _find_tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("g"):
                yield from _find_tensors(attribute.g)
