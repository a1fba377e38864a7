"""Sounds that change by chance."""

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.inputs.sound_augmentation import (
    NO_SOUND_AUGMENTATION,
    SoundAugmentationOptions,
    add_noise,
    augment_sound,
    change_speed,
)

TIME = np.arange(4001) / 8000
TONES = (np.sin(2 * np.pi * 440 * TIME) * np.hanning(4001) * 0.3).astype("float32")
NOISE = np.random.default_rng(1).normal(scale=0.1, size=4001).astype("float32")


def change(samples, seed, **options):
    how = SoundAugmentationOptions(**options)
    changed = augment_sound(tf.constant(samples), how, [seed, 1])
    assert changed.dtype == tf.float32
    return changed.numpy()


def test_the_default_changes_nothing():
    np.testing.assert_array_equal(change(NOISE, 1), NOISE)
    assert SoundAugmentationOptions() == NO_SOUND_AUGMENTATION


@pytest.mark.parametrize("factor", [0.8, 0.93, 1.0, 1.1, 1.5])
def test_speed_reads_the_sum_of_waves_at_other_times(factor):
    sound = TONES[:1001] * np.hanning(1001).astype("float32")
    changed = change_speed(tf.constant(sound), tf.constant(factor, tf.float32)).numpy()
    assert len(changed) == round(1001 / factor)
    waves = np.arange(-500, 501)  # periods in the sound
    amplitudes = np.exp(-2j * np.pi * np.outer(waves, np.arange(1001) / 1001)) @ sound / 1001
    times = np.arange(len(changed)) / len(changed)  # from 0 to 1
    expected = (np.exp(2j * np.pi * np.outer(times, waves)) @ amplitudes).real
    np.testing.assert_allclose(changed, expected, rtol=0, atol=1e-5)


def test_faster_sounds_are_higher():
    changed = change_speed(tf.constant(TONES), tf.constant(1.1)).numpy()
    loudest = abs(np.fft.rfft(changed)).argmax() * 8000 / len(changed)
    assert loudest == pytest.approx(440 * 1.1, abs=2)


def test_speeds_lie_within_their_range_and_are_spread_over_it():
    lengths = np.array([len(change(NOISE, seed, speed=0.2)) for seed in range(60)])
    factors = 4001 / lengths
    assert 0.799 < factors.min() < 0.85
    assert 1.15 < factors.max() < 1.201


@pytest.mark.parametrize("snr", [30.0, 0.0, -10.0])
def test_noise_has_the_power_of_the_ratio(snr):
    added = add_noise(tf.constant(TONES), tf.constant(snr), [3, 1]).numpy() - TONES
    ratio = 10 * np.log10((TONES**2).mean() / (added**2).mean())
    assert ratio == pytest.approx(snr, abs=0.3)
    # It is white: neighbours do not depend on each other.
    assert abs(np.corrcoef(added[1:], added[:-1])[0, 1]) < 0.05


def test_noise_levels_lie_within_their_range_and_are_spread_over_it():
    ratios = []
    for seed in range(60):
        added = change(TONES, seed, lowest_snr=0.0, highest_snr=10.0) - TONES
        ratios.append(10 * np.log10((TONES**2).mean() / (added**2).mean()))
    assert -0.5 < min(ratios) < 2
    assert 8 < max(ratios) < 10.5


@pytest.mark.parametrize("length", [0, 1, 2])
def test_the_shortest_sounds_stay_finite(length):
    for seed in range(5):
        changed = change(NOISE[:length], seed, speed=0.5, lowest_snr=0.0)
        assert len(changed) <= 4
        assert np.isfinite(changed).all()
    assert not change(np.zeros(9, "float32"), 1, lowest_snr=0.0).any()


def test_the_seed_determines_the_augmentation():
    options = {"speed": 0.1, "lowest_snr": 5.0}
    np.testing.assert_array_equal(change(NOISE, 7, **options), change(NOISE, 7, **options))
    assert not np.array_equal(change(NOISE, 7, **options), change(NOISE, 8, **options))


def test_it_runs_in_a_data_set_and_every_epoch_has_other_sounds():
    how = SoundAugmentationOptions(speed=0.1, lowest_snr=10.0)
    seeds = tf.data.Dataset.random(seed=1, rerandomize_each_iteration=True)
    sounds = tf.data.Dataset.from_tensors(NOISE).repeat(2)
    augmented = tf.data.Dataset.zip(sounds, seeds, seeds).map(
        lambda samples, *seed: augment_sound(samples, how, seed)
    )
    first, second = ([sound.tobytes() for sound in augmented.as_numpy_iterator()] for _ in range(2))
    assert len({*first, *second}) == 4


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"lowest_snr": 50.0}, "lowest_snr"),
        ({"highest_snr": 20.0}, "highest_snr"),
        ({"speed": 1.0}, "SoundAugmentationOptions.speed"),
    ],
)
def test_impossible_options_are_refused(options, where):
    with pytest.raises(UserError) as fault:
        SoundAugmentationOptions(**options)
    assert fault.value.where == where
