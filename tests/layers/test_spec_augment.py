"""SpecAugment: which features are hidden."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import SpecAugment

FEATURES = np.random.default_rng(1).normal(size=(200, 30, 12)).astype("float32")
LENGTHS = np.arange(200) % 31
MASK = np.arange(30) < LENGTHS[:, None]


def hide(mask=None, features=FEATURES, seed=1, **options):
    """Which features are hidden, and that all others are what they were."""
    layer = SpecAugment(fill=-99.0, seed=seed, **options)
    changed = np.asarray(layer(features, mask=mask, training=True))
    hidden = changed == -99
    np.testing.assert_array_equal(changed[~hidden], features[~hidden])
    return hidden


def runs(row):
    """How long each run of True in a row is."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
    return (edges[1::2] - edges[::2]).tolist()


def test_it_acts_only_in_training():
    layer = SpecAugment(seed=1)
    np.testing.assert_array_equal(layer(FEATURES), FEATURES)
    np.testing.assert_array_equal(layer(FEATURES, training=False), FEATURES)
    assert not hide(frequency_masks=0, time_masks=0).any()
    assert not hide(frequency_width=0, time_width=0).any()


def test_bands_go_through_all_frames_and_have_all_widths_and_places():
    hidden = hide(frequency_masks=1, frequency_width=4, time_masks=0)
    assert (hidden == hidden[:, :1]).all()
    bands = hidden[:, 0]
    widths = [run for row in bands for run in runs(row) or [0]]
    assert len(widths) == 200
    # 200 draws of five widths: 40 each, with a standard deviation of 5.7.
    assert min(np.bincount(widths, minlength=5)) > 20
    assert len(np.bincount(widths)) == 5
    assert bands.any(axis=0).all()


def test_stretches_go_through_all_frequencies_and_have_all_widths_and_places():
    hidden = hide(frequency_masks=0, time_masks=1, time_width=5, time_share=1.0)
    assert (hidden == hidden[:, :, :1]).all()
    stretches = hidden[:, :, 0]
    widths = [run for row in stretches for run in runs(row) or [0]]
    assert len(widths) == 200
    assert sorted(set(widths)) == [0, 1, 2, 3, 4, 5]
    assert stretches.any(axis=0).all()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 1.0])
def test_no_stretch_is_longer_than_its_share_of_an_utterance(share):
    hidden = hide(MASK, frequency_masks=0, time_masks=1, time_width=20, time_share=share)
    counts = hidden[:, :, 0].sum(axis=1)
    most = np.minimum(np.floor(np.float32(share) * LENGTHS.astype("float32")), 20)
    assert (counts <= most).all()
    assert (counts == most).any()


def test_padding_is_neither_hidden_nor_counted():
    hidden = hide(MASK, frequency_masks=2, frequency_width=5, time_masks=2)
    assert hidden[MASK].any()
    assert not hidden[~MASK].any()
    # Utterances of one length are hidden alike whatever follows them.
    row = np.full((50, 10, 12), 1.0, "float32")
    long = np.concatenate([row, np.zeros((50, 7, 12), "float32")], axis=1)
    options = {"time_masks": 2, "time_share": 0.5}
    alone = hide(np.ones((50, 10), bool), row, **options)
    padded = hide(np.arange(17) < np.full((50, 1), 10), long, **options)
    np.testing.assert_array_equal(padded[:, :10], alone)
    np.testing.assert_array_equal(hide(None, row, **options), alone)


def test_several_masks_may_hide_more_than_one():
    hidden = hide(frequency_masks=3, frequency_width=2, time_masks=0)[:, 0]
    assert hidden.sum(axis=1).max() > 2
    assert max(len(runs(row)) for row in hidden) == 3


def test_every_utterance_and_call_is_drawn_anew_and_a_seed_repeats_them():
    same = np.ones((20, 30, 12), "float32")
    layer, again = SpecAugment(seed=3), SpecAugment(seed=3)
    first, second = (np.asarray(layer(same, training=True)) for _ in range(2))
    assert (first != second).any()
    assert len({row.tobytes() for row in first}) > 15
    np.testing.assert_array_equal(first, again(same, training=True))


def test_the_mask_of_the_features_is_used_and_goes_on():
    inputs = keras.Input((None, 12))
    masked = keras.layers.Masking(0.0)(inputs)
    layer = SpecAugment(time_share=1.0, fill=-99.0, seed=1)
    output = layer(masked)
    assert keras.src.backend.get_keras_mask(output) is not None
    padded = np.where(MASK[:, :, None], FEATURES, 0.0)
    changed = np.asarray(keras.Model(inputs, output)(padded, training=True))
    assert (changed[MASK] == -99).any()
    assert not changed[~MASK].any()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"time_masks": -1}, "time_masks that is an integer of at least 0, got -1"),
        ({"frequency_width": 1.5}, "frequency_width that is an integer of at least 0, got 1.5"),
        ({"time_share": 1.1}, "a time_share from 0 to 1, got 1.1"),
    ],
)
def test_wrong_arguments_are_refused(options, match):
    with pytest.raises(UserError, match=match):
        SpecAugment(**options)


def test_other_axes_are_refused():
    with pytest.raises(UserError, match=r"features of shape \(batch, time, mels\), got \(3, 4\)"):
        SpecAugment()(np.zeros((3, 4), "float32"))
