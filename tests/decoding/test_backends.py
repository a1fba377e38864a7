"""Decoding says the same on every backend, eager and compiled, and in an exported function."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from rnnpipe.decoding import (
    Constraints,
    Decoded,
    RowwiseStep,
    beam_search,
    ctc_step,
    gnmt_coverage,
    gnmt_length,
    greedy_search,
    sample,
    shallow_fusion,
)
from tests.decoding.steps import markov
from tests.decoding.test_protocols import ascending, only_children

BATCH, TIME, VOCAB = 4, 6, 8

DECODE = """
import sys, keras, numpy
from tests.decoding.test_backends import STRATEGIES, attending
given = numpy.load(sys.argv[1] + "/data.npz")
step, state = attending(given["tables"])
compiled = lambda decode: decode
if keras.backend.backend() == "jax":
    import jax
    compiled = lambda decode: jax.jit(decode, static_argnums=0)
runs = {name: compiled(decode) for name, decode in STRATEGIES.items()}
runs["beam, eager"] = STRATEGIES["beam"]
runs["sample again"] = runs["sample"]
found = {}
for name, run in runs.items():
    for part, value in run(step, state)._asdict().items():
        found[f"{name} {part}"] = keras.ops.convert_to_numpy(value)
numpy.savez(sys.argv[1] + "/found.npz", **found)
"""

EVERYTHING = Constraints(
    min_length=4, banned_tokens=[1, 2], no_repeat_ngram=2, prefix=np.array([[4], [0], [5], [0]])
)

FRAMES = np.random.default_rng(3).normal(size=(BATCH, 7, VOCAB)).astype("float32")


def search_jointly(step, state):
    ctc, prefix = ctc_step(FRAMES, np.array([7, 5, 4, 1]), beam_width=3)
    joint = shallow_fusion([step, ctc], [0.7, 0.3])
    return beam_search(joint, (state, prefix), beam_width=3, n_best=2, max_length=TIME)


STRATEGIES = {
    "beam with CTC": search_jointly,
    "greedy": lambda step, state: greedy_search(
        step, state, max_length=TIME, constraints=EVERYTHING
    ),
    "sample": lambda step, state: sample(
        step, state, max_length=TIME, seed=3, samples=2, top_k=4, top_p=0.9
    ),
    "beam": lambda step, state: beam_search(step, state, beam_width=3, n_best=2, max_length=TIME),
    "beam with everything": lambda step, state: beam_search(
        step,
        state,
        beam_width=4,
        n_best=3,
        max_length=TIME,
        length_penalty=gnmt_length(0.7),
        coverage_penalty=gnmt_coverage(0.3, np.array([[True, True, False]] * BATCH)),
        constraints=EVERYTHING,
    ),
    "beam with functions of its own": lambda step, state: beam_search(
        step,
        state,
        beam_width=3,
        n_best=2,
        max_length=TIME,
        constraints=[ascending, Constraints(min_length=2)],
        selection=only_children,
    ),
    "beam of groups with required phrases": lambda step, state: beam_search(
        step,
        state,
        beam_width=6,
        n_best=4,
        max_length=TIME,
        groups=2,
        diversity=1.0,
        required_phrases=[[[5, 6], [4]], [], [[7]], [[6], [5]]],
    ),
}


def attending(tables):
    """A Markov step that also looks: where, depends on the token."""
    inner, state = markov(tables)

    def step(tokens, state):
        logits, after = inner(tokens, state)
        looks = ops.stack([tokens % 3 + 1, tokens % 4 + 1, tokens % 5], axis=1)
        return logits, after, ops.softmax(ops.cast(looks, "float32"))

    return RowwiseStep(step), state


@pytest.fixture
def tables():
    return np.random.default_rng(2).normal(size=(BATCH, TIME, VOCAB, VOCAB)).astype("float32")


def any_batch():
    return [
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([None, TIME, VOCAB, VOCAB], tf.float32),
    ]


def agree(found, expected):
    for part, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(part), other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_graph_of_any_batch_has_the_same_results(tables, strategy):
    step, state = attending(tables)
    decode = STRATEGIES[strategy]
    compiled = tf.function(lambda at, tables: decode(step, (at, tables)), any_batch())
    agree(compiled(*state), decode(step, state))


@pytest.mark.parametrize(
    "strategy",
    [
        "greedy",
        "sample",
        "beam with everything",
        pytest.param("beam", marks=pytest.mark.slow),
        pytest.param("beam of groups with required phrases", marks=pytest.mark.slow),
    ],
)
def test_xla_has_the_same_results(tables, strategy):
    step, state = attending(tables)
    decode = STRATEGIES[strategy]
    compiled = tf.function(lambda *state: decode(step, state), jit_compile=True)
    # XLA draws other numbers from the same seed, the same ones each time.
    expected = compiled(*state) if strategy == "sample" else decode(step, state)
    agree(compiled(*state), expected)


@pytest.mark.parametrize("outside", [False, True])
def test_memory_of_any_length_in_the_state_or_outside(outside):
    random = np.random.default_rng(4)
    table, memory = random.normal(size=(VOCAB, 3)), random.normal(size=(2, 5, 3))
    table, memory = table.astype("float32"), memory.astype("float32")
    options = {
        "beam_width": 3,
        "n_best": 2,
        "max_length": 4,
        "coverage_penalty": gnmt_coverage(0.3),
    }

    def look(tokens, hidden, memory):
        hidden = ops.tanh(hidden + ops.take(table, tokens, axis=0))
        alignments = ops.softmax(ops.einsum("bf,btf->bt", hidden, memory))
        context = ops.einsum("bt,btf->bf", alignments, memory)
        return ops.matmul(hidden + context, table.T), hidden, alignments

    def search(hidden, memory):
        repeated = ops.repeat(memory, 3, axis=0)

        def step_inside(tokens, state):
            logits, hidden, alignments = look(tokens, *state)
            return logits, (hidden, state[1]), alignments

        def step_outside(tokens, hidden):
            return look(tokens, hidden, repeated)

        if outside:
            return beam_search(step_outside, hidden, **options)
        return beam_search(step_inside, (hidden, memory), **options)

    signature = [tf.TensorSpec([None, 3]), tf.TensorSpec([None, None, 3])]
    compiled = tf.function(search, signature)
    hidden = np.zeros((2, 3), "float32")
    found = compiled(hidden, memory)
    assert found.alignments.shape == (2, 2, 4, 5)
    agree(found, search(hidden, memory))
    agree(compiled(hidden[:1], memory[:1, :4]), search(hidden[:1], memory[:1, :4]))


def test_an_exported_search_runs_without_this_package(tmp_path, tables, other_process):
    step, state = attending(tables)
    module = tf.Module()
    module.search = tf.function(
        lambda at, tables: STRATEGIES["beam"](step, (at, tables))._asdict(),
        any_batch(),
    )
    tf.saved_model.save(module, tmp_path / "saved")
    np.save(tmp_path / "tables.npy", tables)
    other_process(
        "import sys, numpy, tensorflow as tf\n"
        "search = tf.saved_model.load(sys.argv[1] + '/saved').search\n"
        "tables = numpy.load(sys.argv[1] + '/tables.npy')\n"
        "found = search(tf.zeros(len(tables), tf.int32), tables)\n"
        "first = search(tf.zeros(1, tf.int32), tables[:1])\n"
        "numpy.testing.assert_array_equal(first['ids'], found['ids'][:1])\n"
        "numpy.savez(sys.argv[1] + '/found.npz', **found)\n"
        "assert 'rnnpipe' not in sys.modules\n",
        tmp_path,
        serving=True,
    )
    found, expected = np.load(tmp_path / "found.npz"), STRATEGIES["beam"](step, state)
    agree([found[part] for part in expected._fields], expected)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_backend_has_the_same_results(tmp_path, tables, backend, other_process):
    pytest.importorskip(backend)
    np.savez(tmp_path / "data.npz", tables=tables)
    other_process(DECODE, tmp_path, backend=backend)
    found = np.load(tmp_path / "found.npz")
    step, state = attending(tables)

    def parts(name):
        return [found[f"{name} {part}"] for part in Decoded._fields]

    for name in STRATEGIES.keys() - {"sample"}:
        agree(parts(name), STRATEGIES[name](step, state))
    agree(parts("beam, eager"), parts("beam"))
    # Backends draw other numbers from the same seed.
    agree(parts("sample again"), parts("sample"))
    assert found["sample ids"].shape == (BATCH, 2, TIME)
