"""NumPy's operations give what those of Keras give, and decoding computes in both."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from rnnpipe import ops
from rnnpipe.decoding import (
    Constraints,
    Decoded,
    RowwiseStep,
    bad_endings,
    beam_search,
    ensemble,
    gnmt_coverage,
    gnmt_length,
    greedy_search,
    no_immediate_repeat,
)
from rnnpipe.ops import numpy_operations

RNG = np.random.default_rng(7)
FLOATS = RNG.normal(size=(3, 5)).astype("float32")
INTEGERS = RNG.integers(0, 4, size=(3, 5)).astype("int32")
BOOLEANS = INTEGERS > 1
TIES = np.array([[2, 2, 1, 2], [0, 3, 3, 0]], "float32")
INFINITE = np.array([[-np.inf, 0.0], [-np.inf, -np.inf]], "float32")

CALLS = [
    ("arange", (4,), {"dtype": "int32"}),
    ("argmax", (TIES,), {"axis": -1}),
    ("array", ([[1.5, 2.0]],), {}),
    ("array", ([1, 2],), {}),
    ("array", ([1, 2],), {"dtype": "int64"}),
    ("cast", (BOOLEANS, "int32"), {}),
    ("clip", (FLOATS, -0.5, 0.5), {}),
    ("convert_to_tensor", (3,), {}),
    ("cumsum", (INTEGERS,), {"axis": 1}),
    ("cumsum", (FLOATS,), {"axis": -1}),
    ("full_like", (FLOATS, 2), {"dtype": "float32"}),
    ("full", ((2, 3), -np.inf), {"dtype": "float32"}),
    ("log", (np.zeros(2, "float32"),), {}),
    ("log_softmax", (FLOATS,), {"axis": -1}),
    ("logaddexp", (INFINITE, INFINITE[::-1]), {}),
    ("logsumexp", (FLOATS,), {"axis": 0}),
    ("logsumexp", (INFINITE,), {"axis": 0}),
    ("matmul", (FLOATS, FLOATS.T), {}),
    ("max", (INTEGERS,), {"axis": -1, "initial": 0}),
    ("one_hot", (INTEGERS, 4), {"dtype": "int32"}),
    ("one_hot", (INTEGERS, 3), {}),
    ("pad", (INTEGERS, [[0, 0], [2, 1]]), {"constant_values": -1}),
    ("repeat", (INTEGERS, 2), {"axis": 1}),
    ("scan", (lambda carry, row: 2 * ((carry[0] + row,),), (FLOATS[0],), FLOATS), {}),
    ("scatter", (np.array([[0, 1], [0, 1], [1, 0]]), np.array([1, 2, 5], "int32"), (2, 2)), {}),
    ("scatter_update", (INTEGERS, np.array([[2], [0]]), INTEGERS[:2] + 9), {}),
    ("slice_update", (FLOATS, [1, 2], np.ones((1, 2), "float32")), {}),
    ("sort", (TIES,), {"axis": -1}),
    ("sum", (BOOLEANS,), {"axis": 1}),
    ("sum", (FLOATS,), {"axis": 1, "keepdims": True}),
    ("take", (INTEGERS, np.int32(1)), {"axis": 1}),
    ("take_along_axis", (FLOATS, INTEGERS), {"axis": 1}),
    ("top_k", (TIES, 3), {}),
    ("where", (BOOLEANS, FLOATS, -np.inf), {}),
    ("where", (BOOLEANS, 0, INTEGERS), {}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), CALLS)
def test_an_operation_is_that_of_keras(name, arguments, options):
    with numpy_operations():
        found = getattr(ops, name)(*arguments, **options)
    expected = getattr(keras.ops, name)(*arguments, **options)
    results = [keras.ops.convert_to_numpy(each) for each in keras.tree.flatten(expected)]
    for ours, theirs in zip(keras.tree.flatten(found), results, strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_outside_of_the_block_operations_are_those_of_keras():
    with numpy_operations():
        assert isinstance(ops.zeros(2), np.ndarray)
    assert ops.zeros is keras.ops.zeros
    assert ops.tree.map_structure is keras.tree.map_structure
    with pytest.raises(AttributeError):
        _ = ops.no_such_operation


VOCAB, ROWS, POSITIONS = 11, 3, 4
LOGITS = RNG.normal(scale=3, size=(VOCAB, VOCAB)).astype("float32")
WEIGHTS = RNG.normal(size=(VOCAB, POSITIONS)).astype("float32")
STATE = RNG.normal(size=(ROWS, 1)).astype("float32")
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], bool)

SEARCHES = {
    "plain": {},
    "penalties": {
        "length_penalty": gnmt_length(1.0),
        "coverage_penalty": gnmt_coverage(0.4, MASK),
    },
    "groups": {"beam_width": 6, "n_best": 2, "groups": 2, "diversity": 1.0},
    "constraints": {
        "constraints": [
            Constraints(min_length=3, no_repeat_ngram=2, banned_tokens=[5], prefix=[[6], [7], []]),
            no_immediate_repeat,
            bad_endings([4]),
        ]
    },
    "phrases": {"required_phrases": [[[8, 9]], [[4], [6]], []]},
    "limits": {"max_lengths": np.array([2, 9, 4], "int32")},
}


def step(tokens, state):
    logits = ops.take(LOGITS, tokens, axis=0) * (1.0 + 0.3 * state)
    alignments = ops.take(WEIGHTS, tokens, axis=0) ** 2
    return logits, 0.5 * state + 0.1, alignments / ops.sum(alignments, axis=1, keepdims=True)


def run(search, step, state, **options):
    """A search in NumPy, and the same on the backend of Keras."""
    with numpy_operations():
        found = search(step, state, **options)
    expected = search(step, keras.tree.map_structure(keras.ops.convert_to_tensor, state), **options)
    return found, Decoded(*map(keras.ops.convert_to_numpy, expected))


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("options", SEARCHES.values(), ids=SEARCHES.keys())
def test_a_beam_search_in_numpy_finds_what_one_on_a_backend_finds(options, compact):
    options = {"beam_width": 4, "n_best": 3, "max_length": 9, **options}
    found, expected = run(beam_search, RowwiseStep(step) if compact else step, STATE, **options)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.lengths, expected.lengths)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)
    np.testing.assert_allclose(found.alignments, expected.alignments, atol=1e-6)
    assert [part.dtype for part in found] == ["int32", "int32", "float32", "float32"]


def test_greedy_search_of_an_ensemble_in_numpy_finds_what_one_on_a_backend_finds():
    joined = ensemble([step, step], weights=[1, 2])

    def mean(tokens, states):
        logits, states, alignments = joined(tokens, states)
        return logits, states, alignments[0]

    found, expected = run(greedy_search, mean, (STATE, -STATE), max_length=9)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)


def test_a_row_of_nan_ends_in_numpy_too():
    def broken(tokens, state):
        return np.full((len(tokens), VOCAB), np.nan, "float32"), state

    with numpy_operations():
        found = beam_search(broken, STATE, beam_width=2, max_length=4)
    assert found.lengths.tolist() == [[0], [0], [0]]
    assert np.isnan(found.scores).all()


def test_decoding_in_numpy_imports_neither_keras_nor_a_backend():
    code = """
import sys
for name in ("keras", "tensorflow", "jax", "torch"):
    sys.modules[name] = None
import numpy as np
from rnnpipe.decoding import beam_search
from rnnpipe.ops import numpy_operations
with numpy_operations():
    step = lambda tokens, state: (np.eye(8, dtype="float32")[tokens + 1] * 9, state)
    print(beam_search(step, np.zeros((1, 1)), beam_width=2, max_length=4, start=4, end=7).ids)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[[[5 6 7 0]]]"
