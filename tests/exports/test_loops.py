"""Variables that no step of a loop changes are read from outside of it."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from rnnpipe.exports.loops import hoist_invariants

WEIGHT = np.array([[1, 2], [3, 5]], "float32")


def value(name, kind=TensorProto.FLOAT, shape=(2, 2)):
    return helper.make_tensor_value_info(name, kind, shape)


def loop_of(prefix, nodes, inputs, results):
    """A body whose variables are `inputs`, and `results` after a step."""
    step, go = f"{prefix}_step", f"{prefix}_go"
    return helper.make_graph(
        [*nodes, helper.make_node("Identity", [go], [f"{go}_on"])],
        prefix,
        [value(step, TensorProto.INT64, ()), value(go, TensorProto.BOOL, ()), *map(value, inputs)],
        [value(f"{go}_on", TensorProto.BOOL, ()), *map(value, results)],
    )


def make_model(outputs, *, after=(), results=("z", "w")):
    """`x` times a weight in each of three steps, and twice in each by a loop within the loop."""
    inner = loop_of(
        "inner", [helper.make_node("MatMul", ["p", "v"], ["q"])], ("p", "v"), ("q", "v")
    )
    body = loop_of(
        "outer",
        [
            helper.make_node("MatMul", ["y", "w"], ["once"]),
            helper.make_node("Loop", ["two", "", "once", "w"], ["z", "left"], body=inner),
        ],
        ("y", "w"),
        results,
    )
    graph = helper.make_graph(
        [
            helper.make_node("Loop", ["three", "", "x", "weight"], ["end", "same"], body=body),
            *after,
        ],
        "graph",
        [value("x")],
        [value(name) for name in outputs],
        [
            numpy_helper.from_array(WEIGHT, "weight"),
            numpy_helper.from_array(np.array(3, "int64"), "three"),
            numpy_helper.from_array(np.array(2, "int64"), "two"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def compute(model):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": np.eye(2, dtype="float32")})


def test_a_weight_is_read_from_outside_of_nested_loops():
    model = make_model(["end"])
    expected = np.linalg.matrix_power(WEIGHT, 9)
    np.testing.assert_array_equal(compute(model)[0], expected)
    hoist_invariants(model.graph)
    np.testing.assert_array_equal(compute(model)[0], expected)
    (loop,) = model.graph.node
    assert list(loop.input) == ["three", "", "x"]
    assert list(loop.output) == ["end"]
    product, inner, _ = loop.attribute[0].g.node
    assert list(product.input) == ["y", "weight"]
    assert list(inner.input) == ["two", "", "once"]
    assert list(inner.attribute[0].g.node[0].input) == ["p", "weight"]


def test_a_later_use_of_the_variable_reads_its_value():
    model = make_model(["sum"], after=[helper.make_node("Add", ["end", "same"], ["sum"])])
    hoist_invariants(model.graph)
    assert list(model.graph.node[1].input) == ["end", "weight"]
    expected = np.linalg.matrix_power(WEIGHT, 9) + WEIGHT
    np.testing.assert_array_equal(compute(model)[0], expected)


@pytest.mark.parametrize(
    ("outputs", "results"),
    [(["end", "same"], ("z", "w")), (["end"], ("w", "z")), (["end"], ("w", "w"))],
)
def test_variables_that_change_or_are_results_stay(outputs, results):
    model = make_model(outputs, results=results)
    expected = compute(model)
    hoist_invariants(model.graph)
    assert len(model.graph.node[0].input) == 4
    for found, wanted in zip(compute(model), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
