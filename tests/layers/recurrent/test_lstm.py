"""The LSTM against NumPy."""

import numpy as np
import pytest

from rnnpipe.layers import LSTM
from tests.layers import reference
from tests.layers.comparing import built, check_gradients, close

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 3


def weights(random, features=FEATURES, units=UNITS):
    """Distinct for every gate, so that no two gates can be swapped unseen."""
    return [
        random.normal(size=(features, 4 * units)),
        random.normal(size=(units, 4 * units)),
        random.normal(size=4 * units),
    ]


@pytest.mark.parametrize("backwards", [False, True])
def test_equals_the_oracle(random, backwards):
    values = weights(random)
    x = random.normal(size=(BATCH, TIME, FEATURES))
    h, c = random.normal(size=(2, BATCH, UNITS))
    mask = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 1, 0, 0, 0]], bool)
    layer = LSTM(
        UNITS, return_sequences=True, return_state=True, go_backwards=backwards, dtype="float64"
    )
    outputs, last_h, last_c = built(layer, values, FEATURES)(x, initial_state=[h, c], mask=mask)
    for n in range(BATCH):
        order = list(range(TIME))[:: -1 if backwards else 1]
        steps = [t for t in order if mask[n, t]]
        expected, expected_h, expected_c = reference.lstm(x[n], values, steps, h[n], c[n])
        close(outputs[n].numpy()[mask[n][order]], expected, 1e-12)
        close(last_h[n], expected_h, 1e-12)
        close(last_c[n], expected_c, 1e-12)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_equal_finite_differences_of_the_outputs(random, training):
    values, x = weights(random, 2, 2), random.normal(size=(2, 3, 2))
    mask = np.array([[1, 1, 1], [1, 0, 1]], bool)
    layer = LSTM(2, return_sequences=True, return_state=True, dtype="float64")
    check_gradients(layer, values, x, mask=mask, training=training)
