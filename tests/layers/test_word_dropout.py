import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import WordDropout

TOKENS = np.tile([5, 6, 7, 8, 0], (400, 1)).astype("int32")


def test_it_acts_only_in_training():
    assert np.array_equal(WordDropout(0.5)(TOKENS), TOKENS)
    assert np.array_equal(WordDropout(0.0)(TOKENS, training=True), TOKENS)


def test_tokens_become_unknown_at_the_rate_and_padding_stays():
    hidden = np.asarray(WordDropout(0.3, seed=1)(TOKENS, training=True))
    assert hidden.dtype == TOKENS.dtype
    assert not hidden[:, 4].any()
    changed = hidden != TOKENS
    assert set(hidden[changed]) == {1}
    # 1600 draws: the standard deviation of the share is 0.0115.
    assert changed[:, :4].mean() == pytest.approx(0.3, abs=0.05)


def test_every_call_draws_anew_and_a_seed_repeats_them():
    layer, again = WordDropout(0.5, seed=3), WordDropout(0.5, seed=3)
    first, second = (np.asarray(layer(TOKENS, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again(TOKENS, training=True))


def test_a_mask_of_the_hidden_tokens_is_that_of_the_tokens():
    inputs = keras.Input((None,), dtype="int32")
    words = keras.layers.Embedding(9, 2, mask_zero=True)(WordDropout(0.5)(inputs))
    assert keras.src.backend.get_keras_mask(words) is not None


def test_config_makes_the_same_layer():
    layer = WordDropout(0.2, unknown=3, padding=2, seed=5)
    assert WordDropout.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_wrong_rates_are_refused(rate):
    with pytest.raises(UserError, match=r"expected a rate from 0 to below 1, got"):
        WordDropout(rate)
