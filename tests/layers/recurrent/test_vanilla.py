"""The plain recurrent network against NumPy."""

import numpy as np
import pytest

from rnnpipe.layers import VanillaRNN
from tests.layers import reference
from tests.layers.comparing import built, check_gradients, close

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 3


def weights(random, features=FEATURES, units=UNITS):
    return [
        random.normal(size=(features, units)),
        random.normal(size=(units, units)),
        random.normal(size=units),
    ]


def test_equals_the_oracle(random):
    values = weights(random)
    x = random.normal(size=(BATCH, TIME, FEATURES))
    h = random.normal(size=(BATCH, UNITS))
    mask = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 1, 0, 0, 0]], bool)
    layer = VanillaRNN(UNITS, return_sequences=True, return_state=True, dtype="float64")
    outputs, last = built(layer, values, FEATURES)(x, initial_state=h, mask=mask)
    for n in range(BATCH):
        expected, expected_h = reference.vanilla(x[n], values, list(np.flatnonzero(mask[n])), h[n])
        close(outputs[n].numpy()[mask[n]], expected, 1e-12)
        close(last[n], expected_h, 1e-12)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_equal_finite_differences_of_the_outputs(random, training):
    values, x = weights(random, 2, 2), random.normal(size=(2, 3, 2))
    mask = np.array([[1, 1, 1], [1, 0, 1]], bool)
    layer = VanillaRNN(2, return_sequences=True, return_state=True, dtype="float64")
    check_gradients(layer, values, x, mask=mask, training=training)
