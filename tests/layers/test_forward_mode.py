"""Forward-mode derivatives equal finite differences, or are refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.training.log_likelihood import log_likelihood
from tests.layers.cases import KERNELS, LAYERS, VOCAB, call_case, every_layer, training_option

STEP = 1e-5

NO_DERIVATIVE = {("MovingAverage", True), ("HardAttention", True)}
"""What passes no gradient: averages, and the choice of a position."""


def floats(tensors):
    return [tensor for tensor in tf.nest.flatten(tensors) if tensor.dtype.is_floating]


class Differentiated:
    """A layer in float64, its weights and inputs, and a direction of all of them."""

    def __init__(self, name, training, graph):
        keras.utils.set_random_seed(1)  # else weights may lie at a kink of max
        self.layer, inputs, _ = call_case(name, dtype="float64")
        random = np.random.default_rng(5)
        self.inputs = keras.tree.map_structure(
            lambda array: tf.constant(array, "float64" if array.dtype == "float32" else None),
            inputs,
        )
        self.weights = self.layer.trainable_weights
        self.primals = [*(weight.value for weight in self.weights), *floats(self.inputs)]
        self.start = [tensor.numpy() for tensor in self.primals]
        self.tangents = [tf.constant(random.normal(size=array.shape)) for array in self.start]
        weights = {id(weight) for weight in self.layer.weights}
        self.seeds = [each for each in self.layer.variables if id(each) not in weights]
        self.first_seeds = [seed.numpy() for seed in self.seeds]
        options = training_option(self.layer, training)

        def call(*inputs):
            return floats(self.layer(*inputs, **options))

        self.call = tf.function(call, autograph=False) if graph else call

    def run(self, inputs):
        """The outputs, of the same random numbers at every call."""
        for seed, value in zip(self.seeds, self.first_seeds, strict=True):
            seed.assign(value)
        return self.call(*inputs)

    def derivatives(self):
        """Of all outputs in the direction, by an accumulator."""
        with tf.autodiff.ForwardAccumulator(self.primals, self.tangents) as accumulator:
            outputs = self.run(self.inputs)
        return [accumulator.jvp(output, unconnected_gradients="zero") for output in outputs]

    def differences(self):
        """The same by finite differences, exact to the fourth order."""
        far, near = ([self.at(sign * size) for sign in (1, -1)] for size in (2 * STEP, STEP))
        return [
            (8 * (up - down) - (far_up - far_down)) / (12 * STEP)
            for up, down, far_up, far_down in zip(*near, *far, strict=True)
        ]

    def at(self, step):
        moved = [
            array + step * tangent.numpy()
            for array, tangent in zip(self.start, self.tangents, strict=True)
        ]
        for weight in self.weights:
            weight.assign(moved.pop(0))
        inputs = keras.tree.map_structure(
            lambda tensor: tf.constant(moved.pop(0)) if tensor.dtype.is_floating else tensor,
            self.inputs,
        )
        return [output.numpy() for output in self.run(inputs)]


COMPILED = (*KERNELS, "last output", "Bidirectional", "RecurrentStack")
"""The layers with compiled loops in training."""


@every_layer
@pytest.mark.parametrize(("training", "graph"), [(False, False), (True, False), (False, True)])
def test_forward_mode_derivatives_equal_finite_differences(name, training, graph):
    if (name, training) in NO_DERIVATIVE:
        pytest.skip("it passes no gradient")
    case = Differentiated(name, training, graph)
    expected = case.differences()  # which traces a graph: TensorFlow cannot under an accumulator
    case.at(0)
    found = case.derivatives()
    assert len(found) == len(expected)
    for derivative, difference in zip(found, expected, strict=True):
        scale = 1e-7 * max(1.0, np.abs(difference).max(initial=0))
        np.testing.assert_allclose(derivative, difference, rtol=1e-6, atol=scale)


@pytest.mark.parametrize("name", COMPILED)
def test_forward_mode_derivatives_of_a_graph_with_a_compiled_loop_are_refused(name):
    case = Differentiated(name, training=True, graph=True)
    case.at(0)
    with pytest.raises(UserError, match="forward-mode ones of a graph"):
        case.derivatives()


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
def test_forward_mode_derivatives_of_log_likelihoods(graph):
    random = np.random.default_rng(3)
    logits, tangent = (tf.constant(random.normal(size=(2, 5, VOCAB))) for _ in range(2))
    targets = np.arange(10).reshape(2, 5) % VOCAB

    def call(logits):
        return log_likelihood(targets, logits)

    run = tf.function(call, autograph=False) if graph else call
    expected = [
        (above - below) / (2 * STEP)
        for above, below in zip(
            run(logits + STEP * tangent), run(logits - STEP * tangent), strict=True
        )
    ]
    with tf.autodiff.ForwardAccumulator(logits, tangent) as accumulator:
        outputs = run(logits)
    for output, difference in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(accumulator.jvp(output), difference, atol=1e-8)


def test_every_case_is_differentiated():
    assert {name for name, _ in NO_DERIVATIVE} < set(LAYERS)
