"""Nested structures are repeated and gathered row by row."""

import numpy as np

from rnnpipe.decoding.nested import allocate, flat_rows, gather_beams, mask_after, write
from rnnpipe.nested import repeat_rows


def test_repeated_rows_stay_together():
    repeated = repeat_rows({"a": np.array([1, 2]), "b": [np.array([[3.0], [4.0]])]}, 2)
    assert repeated["a"].numpy().tolist() == [1, 1, 2, 2]
    assert repeated["b"][0].numpy().tolist() == [[3.0], [3.0], [4.0], [4.0]]


def test_gather_stays_within_its_row():
    numbers = np.arange(2 * 3 * 2).reshape(2, 3, 2)
    chosen = np.array([[2, 0], [1, 1]], "int32")
    expected = [[[4, 5], [0, 1]], [[8, 9], [8, 9]]]
    assert gather_beams((numbers,), chosen)[0].numpy().tolist() == expected
    assert flat_rows(chosen, 3).numpy().tolist() == [[2, 0], [4, 4]]


def test_a_time_step_is_written():
    buffers = allocate({"a": np.array([[1.0, 2.0]], "float32")}, 3)
    written = write(buffers, 1, {"a": np.array([[5.0, 6.0]], "float32")})
    assert written["a"].numpy().tolist() == [[[0, 0]], [[5, 6]], [[0, 0]]]


def test_steps_after_the_length_are_filled():
    ones = np.ones((2, 3, 2), "float32")
    masked = mask_after(np.array([1, 3], "int32"), ones, fill=7)
    assert masked[:, :, 0].numpy().tolist() == [[1, 7, 7], [1, 1, 1]]
