"""Nested structures are repeated and gathered row by row."""

import numpy as np

from rnnpipe.decoding.structures import allocate, blank_after, gather, rows_of, tile, write


def test_tile_keeps_copies_together():
    tiled = tile({"a": np.array([1, 2]), "b": [np.array([[3.0], [4.0]])]}, 2)
    assert tiled["a"].numpy().tolist() == [1, 1, 2, 2]
    assert tiled["b"][0].numpy().tolist() == [[3.0], [3.0], [4.0], [4.0]]


def test_gather_stays_within_its_row():
    numbers = np.arange(2 * 3 * 2).reshape(2, 3, 2)
    chosen = np.array([[2, 0], [1, 1]], "int32")
    expected = [[[4, 5], [0, 1]], [[8, 9], [8, 9]]]
    assert gather((numbers,), chosen)[0].numpy().tolist() == expected
    assert rows_of(chosen, 3).numpy().tolist() == [[2, 0], [4, 4]]


def test_write_one_time():
    buffers = allocate({"a": np.array([[1.0, 2.0]], "float32")}, 3)
    written = write(buffers, 1, {"a": np.array([[5.0, 6.0]], "float32")})
    assert written["a"].numpy().tolist() == [[[0, 0]], [[5, 6]], [[0, 0]]]


def test_blank_after_the_length():
    ones = np.ones((2, 3, 2), "float32")
    blanked = blank_after(np.array([1, 3], "int32"), ones, blank=7)
    assert blanked[:, :, 0].numpy().tolist() == [[1, 7, 7], [1, 1, 1]]
