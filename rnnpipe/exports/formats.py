"""The formats of exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnpipe.exports import onnx, saved_model
from rnnpipe.exports.function import Compute
from rnnpipe.tasks.network import Graph


@dataclass(frozen=True)
class Format:
    """How graphs are written and read again.

    Args:
        write: writes a graph.
        open: opens what was written, with the names of its outputs.
        suffix: of what is written.
        to_write: the extras that writing needs.
        to_open: the extras that opening needs.
    """

    write: Callable[[Graph, Path], None]
    open: Callable[[Path, Sequence[str]], Compute]
    suffix: str
    to_write: Sequence[str]
    to_open: Sequence[str]


FORMATS: Mapping[str, Format] = {
    "onnx": Format(onnx.write_onnx, onnx.open_onnx, onnx.SUFFIX, ("train", "export"), ("onnx",)),
    "saved_model": Format(
        saved_model.write_saved_model,
        saved_model.open_saved_model,
        saved_model.SUFFIX,
        ("train",),
        ("runs", "tensorflow"),
    ),
}
"""Each format by its name."""
