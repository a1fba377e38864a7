"""Frames that are concatenated, against their definition."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import FrameStacking
from tests.layers.comparing import close, gradients


def stack(frames, size):
    """Groups of frames of one sequence, the last one completed by zeros."""
    width = frames.shape[1]
    groups = [list(frames[start : start + size]) for start in range(0, len(frames), size)]
    return np.array(
        [np.concatenate([*g, *[np.zeros(width)] * (size - len(g))]) for g in groups]
    ).reshape(len(groups), size * width)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_groups_of_frames_are_concatenated(random, size):
    frames = random.normal(size=(2, 7, 3))
    found = FrameStacking(size, dtype="float64")(frames)
    np.testing.assert_array_equal(found, [stack(row, size) for row in frames])


@pytest.mark.parametrize("length", [0, 1, 4, 5])
def test_padding_changes_nothing_even_where_it_is_nan(random, length):
    layer = FrameStacking(2, dtype="float64")
    frames = random.normal(size=(1, 7, 3))
    frames[:, length:] = np.nan
    mask = np.arange(7)[None] < length
    found, groups = layer(frames, mask=mask), int(layer.compute_lengths(length))
    np.testing.assert_array_equal(found[0, :groups], stack(frames[0, :length], 2))
    assert not np.any(found[0, groups:])
    assert np.asarray(layer.compute_mask(frames, mask)).tolist() == [
        [group < groups for group in range(4)]
    ]
    assert np.isfinite(gradients(layer, frames, mask=mask)[0]).all()


def test_a_group_with_an_unmasked_frame_is_unmasked():
    mask = np.array([[0, 1, 0, 0, 1, 0, 0]], bool)
    found = FrameStacking(2).compute_mask(None, mask)
    assert np.asarray(found).tolist() == [[True, False, True, False]]


def test_the_mask_goes_along_in_a_model():
    inputs = keras.Input((None,), dtype="int32")
    words = keras.layers.Embedding(9, 2, mask_zero=True)(inputs)
    pooled = keras.layers.GlobalAveragePooling1D()(FrameStacking(2)(words))
    model = keras.Model(inputs, pooled)
    close(model(np.array([[3, 4, 5, 0, 0, 0]])), model(np.array([[3, 4, 5]])))


def test_chunks_of_whole_groups_have_the_outputs_of_the_whole(random):
    frames, layer = random.normal(size=(2, 9, 3)).astype("float32"), FrameStacking(3)
    chunks = [layer(frames[:, :3]), layer(frames[:, 3:9])]
    np.testing.assert_array_equal(np.concatenate(chunks, axis=1), layer(frames))


def test_wrong_use_is_refused():
    with pytest.raises(UserError, match="at least 1 frame, got 0"):
        FrameStacking(0)
    with pytest.raises(UserError, match=r"expected sequences \(batch, time, features\), got"):
        FrameStacking(2)(np.zeros((2, 3)))
