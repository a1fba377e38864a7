"""Log-mel features in TensorFlow, against those of NumPy and TensorFlow's own mel filters."""

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.audio import LogMel, LogMelOptions
from rnnpipe.errors import UserError
from rnnpipe.inputs.log_mel import make_log_mel

RATE = 8000
TIME = np.arange(3000) / RATE
TONE = (0.5 * np.sin(2 * np.pi * 700 * TIME)).astype("float32")
NOISE = np.random.default_rng(1).uniform(-0.3, 0.3, 3000).astype("float32")


@pytest.mark.parametrize("options", [{}, {"mels": 13, "window": 0.0321, "hop": 0.0077}])
def test_features_are_those_of_numpy(options):
    options = LogMelOptions(rate=RATE, **options)
    sounds = np.stack([TONE, NOISE, np.zeros(3000, "float32")])
    features = make_log_mel(options)(tf.constant(sounds)).numpy()
    assert features.dtype == np.float32
    for row, sound in zip(features, sounds, strict=True):
        np.testing.assert_allclose(row, LogMel(options)(sound), rtol=0, atol=1e-5)


@pytest.mark.parametrize("length", [0, 199, 200, 1234])
def test_sounds_of_any_length_have_the_frames_of_numpy(length):
    options = LogMelOptions(rate=RATE, mels=20)
    sounds = tf.data.Dataset.from_generator(
        lambda: [NOISE[:length]], output_signature=tf.TensorSpec([None], tf.float32)
    )
    sounds = sounds.map(make_log_mel(options))
    assert sounds.element_spec.shape.as_list() == [None, 20]
    (features,) = sounds
    expected = LogMel(options)(NOISE[:length])
    assert features.shape == expected.shape
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)


def test_filters_are_those_of_tensorflow():
    options = LogMelOptions(rate=RATE, mels=30, lowest=50.0, highest=3500.0)
    theirs = tf.signal.linear_to_mel_weight_matrix(
        30, options.fft_length // 2 + 1, RATE, 50.0, 3500.0, tf.float64
    )
    # Theirs has another factor, 1127 instead of 2595 / ln 10: the same but for its rounding.
    np.testing.assert_allclose(LogMel(options).filters.T, theirs, rtol=0, atol=2e-3)


def test_integers_are_refused():
    with pytest.raises(UserError, match="expected floats from -1 to 1, got int16"):
        make_log_mel(LogMelOptions(rate=RATE))(tf.constant((NOISE * 32768).astype("int16")))
