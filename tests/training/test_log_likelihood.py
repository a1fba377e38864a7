import json

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.training.log_likelihood import log_likelihood
from tests.layers.reference import numeric_gradient

RNG = np.random.default_rng(5)
TARGETS = RNG.integers(0, 7, (3, 4))
LOGITS = RNG.normal(0, 3, (3, 4, 7))
WEIGHTS = RNG.normal(size=(2, 3, 4))


def by_definition(logits):
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return np.take_along_axis(log_p, TARGETS[..., None], -1)[..., 0], log_p.mean(-1)


def weighted(logits):
    return sum(tf.reduce_sum(each * w) for each, w in zip(logits, WEIGHTS, strict=True))


@pytest.mark.parametrize("watch", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_equal_their_definition(dtype, watch):
    found = log_likelihood(TARGETS, LOGITS.astype(dtype), watch=watch)
    for mine, theirs in zip(found, by_definition(LOGITS), strict=True):
        assert mine.dtype == dtype
        np.testing.assert_allclose(mine, theirs, rtol=1e-5 if dtype == "float32" else 1e-12)


def test_large_logits_do_not_overflow():
    logits = np.array([[[1e4, 0.0], [-1e4, -1e4]]], "float32")
    of_target, mean = log_likelihood(np.array([[0, 1]]), logits)
    np.testing.assert_allclose(of_target, [[0, -np.log(2)]], rtol=1e-6)
    np.testing.assert_allclose(mean, [[-5e3, -np.log(2)]], rtol=1e-6)


def test_gradient_is_that_of_finite_differences():
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = weighted(log_likelihood(TARGETS, logits))
    array = LOGITS.copy()
    expected = numeric_gradient(lambda: weighted(by_definition(array)), array)
    np.testing.assert_allclose(tape.gradient(value, logits), expected, atol=1e-8)


def test_a_loss_and_a_metric_of_one_graph_share_no_compiled_function():
    @tf.function
    def both(logits):
        return log_likelihood(TARGETS, logits), log_likelihood(TARGETS, logits, watch=True)

    graph = both.get_concrete_function(tf.constant(LOGITS)).graph
    called = [op.get_attr("f").name for op in graph.get_operations() if "Partitioned" in op.type]
    assert len(called) == len(set(called)) == 2


def test_sizes_may_be_unknown_while_a_graph_is_traced():
    graph = tf.function(
        log_likelihood,
        input_signature=[
            tf.TensorSpec((None, None), tf.int32),
            tf.TensorSpec((None, None, 7), tf.float64),
        ],
    )
    of_target, _ = graph(tf.constant(TARGETS, tf.int32), tf.constant(LOGITS))
    np.testing.assert_allclose(of_target, by_definition(LOGITS)[0], rtol=1e-12)


OTHERWISE = """
import json, sys
import numpy
from rnnpipe.training.log_likelihood import log_likelihood
targets, logits = json.load(open(sys.argv[1]))
found = log_likelihood(numpy.array(targets), numpy.array(logits, "float32"))
json.dump([numpy.asarray(each).tolist() for each in found], open(sys.argv[1], "w"))
"""


def test_every_backend_has_the_same_results(other_process, tmp_path):
    path = tmp_path / "exchanged.json"
    path.write_text(json.dumps([TARGETS.tolist(), LOGITS.tolist()]))
    other_process(OTHERWISE, path, backend="jax")
    np.testing.assert_allclose(json.loads(path.read_text()), by_definition(LOGITS), rtol=1e-5)
