"""The formats of exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.exports import litert, mlflow, onnx, saved_model
from rnnpipe.exports.function import Compute
from rnnpipe.exports.quantize import quantize_int8
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.network import Bound, Graph, Network, find_graph, find_step_graphs
from rnnpipe.tasks.text_graph import TEXT_FUNCTION

Quantizer = Callable[[Path], Mapping[str, int]]
"""Replaces what was written by a quantized form of it; returns the numbers of weights by dtype."""


@dataclass(frozen=True)
class Format:
    """How graphs are written and read again.

    Args:
        write: writes a graph.
        open: opens what was written, with the names of its outputs.
        suffix: of what is written.
        to_write: the extras that writing needs.
        to_open: the extras that opening needs.
        quantizers: of what was written, by their names.
        functions: which functions of a network its graphs may be. Where a search is none of them,
            it is `encode` and `step`, and its loop is outside.
        bounded: whether inputs have fixed shapes: those of one row, padded to one length.
        nests: whether graphs may have the loops of a search whose steps have loops themselves.
        finish: adds what others than rnnpipe read to the folder, by the inputs of the task and the
            extras that reading them needs.
    """

    write: Callable[[Graph, Path], None]
    open: Callable[[Path, Sequence[str]], Compute]
    suffix: str
    to_write: Sequence[str]
    to_open: Sequence[str]
    quantizers: Mapping[str, Quantizer] = field(default_factory=dict)
    functions: Sequence[str] = ("call", "search", "draw", "step")
    bounded: bool = False
    nests: bool = True
    finish: Callable[[Path, Sequence[Input], Sequence[str]], None] | None = None

    def find_graphs(
        self, network: Network, bounds: Mapping[str, Mapping[str, Bound]]
    ) -> dict[str, Graph]:
        """The graphs of a network that the format holds, by the name of the function.

        Args:
            network: of a trained model.
            bounds: of the inputs of its functions, by their names.

        Raises:
            UserError: the format cannot hold one of them.
        """
        graphs: dict[str, Graph] = {}
        for name, function in network.items():
            graph = find_graph(function)
            if graph is not None and graph.nested and not self.nests:
                raise _refuse_nested()
            if name not in self.functions:
                graphs |= find_step_graphs(function, bounds.get(name, {}))
            elif graph is not None:
                graphs[name] = graph
        if not self.bounded:
            return graphs
        return {name: _bound(name, each, bounds.get(name, {})) for name, each in graphs.items()}


def _refuse_nested() -> UserError:
    others = " or ".join(name for name, form in FORMATS.items() if form.nests)
    got = "a search by a decoder and CTC together, whose steps have loops"
    fix = f"choose {others}, or train or evaluate with evaluate.search.ctc_weight 0 or 1"
    return UserError("--format", f"{others} for such a search", got, fix)


def _bound(name: str, graph: Graph, bounds: Mapping[str, Bound]) -> Graph:
    """A graph for one row; a step without a loop may have any number of rows."""
    any_rows = name == "step" and not graph.has_loop()
    return graph.bound({**bounds, **graph.bounds}, rows=None if any_rows else 1)


FORMATS: Mapping[str, Format] = {
    "onnx": Format(
        onnx.write_onnx,
        onnx.open_onnx,
        onnx.SUFFIX,
        ("train", "export"),
        ("onnx",),
        {"int8": quantize_int8},
        nests=False,
    ),
    "saved_model": Format(
        saved_model.write_saved_model,
        saved_model.open_saved_model,
        saved_model.SUFFIX,
        ("train",),
        ("runs", "tensorflow"),
        functions=("call", "search", "draw", "step", TEXT_FUNCTION),
    ),
    "litert": Format(
        litert.write_litert,
        litert.open_litert,
        litert.SUFFIX,
        ("train",),
        ("litert",),
        functions=("call", "encode", "step"),
        bounded=True,
    ),
    "mlflow": Format(
        onnx.write_onnx,
        onnx.open_onnx,
        onnx.SUFFIX,
        ("train", "export", "mlflow"),
        ("onnx",),
        {"int8": quantize_int8},
        nests=False,
        finish=mlflow.describe_model,
    ),
}
"""Each format by its name."""


def find_format(name: str) -> Format:
    """A format by its name.

    Raises:
        UserError: there is none of that name.
    """
    if name not in FORMATS:
        raise UserError("--format", " or ".join(FORMATS), name, "choose one of them")
    return FORMATS[name]


def find_quantizer(format_name: str, name: str) -> Quantizer:
    """A quantizer by the name of its format and its own.

    Raises:
        UserError: the format has none of that name.
    """
    known = find_format(format_name).quantizers
    if not known:
        others = " or ".join(each for each, form in FORMATS.items() if form.quantizers)
        fix = "choose that format, or leave --quantize out"
        raise UserError(f"--quantize {name}", f"--format {others}", format_name, fix)
    if name not in known:
        raise UserError("--quantize", " or ".join(known), name, "choose it, or leave it out")
    return known[name]
