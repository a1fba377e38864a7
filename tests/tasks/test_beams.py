"""Searches of many batches come in order, and hold few of them."""

import threading

import numpy as np
import pytest

from rnnpipe.decoding import Decoded
from rnnpipe.tasks.beams import search_all


def decoded(batch):
    return Decoded(np.array([[[batch]]]), np.array([[1]]), np.array([[0.0]]), None)


def test_what_is_found_comes_in_the_order_of_the_batches():
    second_began = threading.Event()

    def search(batch):
        if batch == 0:  # ends after the second has begun
            assert second_began.wait(timeout=60)
        else:
            second_began.set()
        return decoded(batch)

    assert [int(found.ids[0, 0, 0]) for found in search_all(search, range(5))] == [0, 1, 2, 3, 4]


def test_no_more_batches_are_held_than_are_searched():
    drawn = []

    def batches():
        for batch in range(6):
            drawn.append(batch)
            yield batch

    found = search_all(decoded, batches())
    for count in range(1, 7):
        next(found)
        assert len(drawn) <= count + 1


def test_a_search_that_fails_is_told():
    def search(batch):
        raise ValueError(f"batch {batch}")

    with pytest.raises(ValueError, match="batch 0"):
        list(search_all(search, range(3)))
