"""Images that change by chance."""

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.inputs.augmentation import AugmentationOptions, augment

IMAGES = np.random.default_rng(0).integers(60, 190, (4, 9, 9, 3)).astype("uint8")


def change(images, seed, lengths=None, **options):
    changed = augment(
        tf.constant(images), AugmentationOptions(**options), [seed, 1], lengths=lengths
    )
    assert changed.dtype == tf.uint8
    return changed.numpy()


def test_default_options_change_nothing():
    np.testing.assert_array_equal(change(IMAGES, 1), IMAGES)


def test_each_image_is_seen_as_it_is_or_in_a_mirror():
    ways = set()
    for seed in range(9):
        for old, new in zip(IMAGES, change(IMAGES, seed, flip=True), strict=True):
            mirrored = (new == old[:, ::-1]).all()
            assert mirrored or (new == old).all()
            ways.add(bool(mirrored))
    assert ways == {True, False}


def test_images_are_moved_and_their_edges_repeated():
    padded = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0)), "edge")
    views = [padded[:, y:, x:][:, :9, :9] for y in range(5) for x in range(5)]
    seen = set()
    for seed in range(9):
        for row, new in enumerate(change(IMAGES, seed, shift=2)):
            (place,) = (k for k, view in enumerate(views) if (new == view[row]).all())
            seen.add(place)
    assert len(seen) > 12


def test_brightness_changes_by_the_set_share_of_white():
    lit = change(IMAGES, 3, brightness=0.2).astype(int) - IMAGES
    assert 0 < abs(lit).max() <= 51
    assert all(np.ptp(image) <= 1 for image in lit)
    assert len({int(image.mean()) for image in lit}) == 4


@pytest.mark.parametrize("lengths", [[3, 1], [1, 3], [4]])
def test_all_images_of_a_group_change_alike(lengths):
    same = np.repeat(IMAGES[:1], 4, axis=0)
    ends = np.cumsum(lengths)
    changed = change(same, 5, tf.constant(lengths), shift=2, flip=True, brightness=0.3)
    for start, end in zip([0, *ends], ends, strict=False):
        assert (changed[start:end] == changed[start]).all()
    if len(lengths) > 1:
        assert (changed[0] != changed[-1]).any()


def test_the_seed_determines_the_augmentation():
    options = {"shift": 3, "flip": True, "brightness": 0.3}
    np.testing.assert_array_equal(change(IMAGES, 7, **options), change(IMAGES, 7, **options))
    assert (change(IMAGES, 7, **options) != change(IMAGES, 8, **options)).any()
