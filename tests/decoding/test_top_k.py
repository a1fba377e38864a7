import numpy as np
import pytest
from keras import ops

from rnnpipe.decoding.top_k import blocked_top_k


@pytest.mark.parametrize("count", [1, 7, 1024, 1025, 1031, 4099, 10_000])
@pytest.mark.parametrize("k", [1, 2, 5, 40])
@pytest.mark.parametrize("ties", [False, True])
def test_the_external_sort_equals_sorted(count, k, ties):
    k = min(k, count)
    random = np.random.default_rng(count + k)
    # Few different values: the k-th greatest is in many places, most of them in other blocks.
    values = random.integers(0, 4, (3, count)) if ties else random.normal(size=(3, count))
    values = values.astype("float32")
    values[1, : count // 2] = -np.inf
    values[2] = -np.inf
    found, places = (np.asarray(part) for part in blocked_top_k(ops.array(values), k))
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(places, order)
    np.testing.assert_array_equal(found, np.take_along_axis(values, order, axis=1))


def test_the_top_k_may_be_in_one_block_or_the_last():
    values = np.zeros((2, 4099), "float32")
    values[0, 2000:2005] = [3, 5, 1, 4, 2]
    values[1, -2:] = [1, 2]
    _, places = blocked_top_k(ops.array(values), 5)
    assert places[0].numpy().tolist() == [2001, 2003, 2000, 2004, 2002]
    assert places[1].numpy().tolist() == [4098, 4097, 0, 1, 2]
