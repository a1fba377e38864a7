"""Loops of ONNX graphs without the variables that no step changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def hoist_invariants(graph: Any) -> None:
    """Removes the variables of loops that no step changes; their bodies read the value outside.

    TensorFlow passes weights through its loops as variables. As such onnxruntime cannot quantize
    them, and copies them in each step.

    Args:
        graph: an `onnx.GraphProto`, which is changed.
    """
    for node in graph.node:
        for body in _subgraphs(node):
            hoist_invariants(body)
            if node.op_type == "Loop":
                _rename(graph, _hoist(node, body, {output.name for output in graph.output}))


def _hoist(loop: Any, body: Any, needed: set[str]) -> dict[str, str]:
    """Removes the variables of a loop that no step changes, but for outputs that are needed.

    Returns:
        The outputs that the loop has no more, each with the name of its value.
    """
    # The first two inputs of a loop are the number of its steps and its condition, those of its
    # body the step and the condition; the first output of the body is the condition.
    names, outputs = {}, {}
    for place in reversed(range(len(loop.input) - 2)):
        inner, output = body.input[2 + place].name, loop.output[place]
        is_same = body.output[1 + place].name == inner
        if (
            is_same
            and [each.name for each in body.output].count(inner) == 1
            and output not in needed
        ):
            names[inner] = outputs[output] = loop.input[2 + place]
            del loop.input[2 + place], loop.output[place]
            del body.input[2 + place], body.output[1 + place]
    _rename(body, names)
    return outputs


def _rename(graph: Any, names: Mapping[str, str]) -> None:
    """Renames the inputs of all nodes, those within other nodes too."""
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
        for body in _subgraphs(node):
            _rename(body, names)


def walk_nodes(graph: Any) -> Iterator[Any]:
    """All nodes of a graph, those within other nodes too.

    Args:
        graph: an `onnx.GraphProto`.
    """
    for node in graph.node:
        yield node
        for body in _subgraphs(node):
            yield from walk_nodes(body)


def _subgraphs(node: Any) -> Iterator[Any]:
    return (attribute.g for attribute in node.attribute if attribute.HasField("g"))
