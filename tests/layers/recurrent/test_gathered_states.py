"""Last states of which rows are gathered, as several captions read those of one image."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.layers import GRU, LSTM

SEQUENCES = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
ROWS = [0, 1, 1]


@pytest.mark.parametrize("layer", [LSTM, GRU])
def test_gradients_are_those_of_a_product(layer):
    keras.utils.set_random_seed(1)
    recurrence = layer(5, return_sequences=True, return_state=True)
    recurrence.build((None, None, 4))

    @tf.function
    def gradients(is_gathered):
        with tf.GradientTape() as tape:
            _, *states = recurrence(SEQUENCES)
            if is_gathered:
                states = [tf.gather(state, ROWS) for state in states]
            else:
                states = [tf.one_hot(ROWS, 2) @ state for state in states]
            loss = tf.add_n([tf.reduce_sum(state**2) for state in states])
        return tape.gradient(loss, recurrence.trainable_weights)

    for gathered, expected in zip(gradients(True), gradients(False), strict=True):
        np.testing.assert_allclose(gathered, expected, rtol=1e-4, atol=1e-6)
