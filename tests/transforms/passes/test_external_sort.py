import random

import pytest

from rnnpipe.transforms.passes import external_sort as sort_module
from rnnpipe.transforms.passes.external_sort import external_sort


@pytest.mark.parametrize("most", [1, 7, 100, 101, 1000])
def test_the_order_is_that_of_sorted(monkeypatch, most):
    monkeypatch.setattr(sort_module, "MAX_VALUES_IN_MEMORY", most)
    monkeypatch.setattr(sort_module, "_BATCH", 3)
    values = [(number % 10, str(number)) for number in range(100)]
    random.Random(1).shuffle(values)
    assert list(external_sort(iter(values), key=lambda value: value[0])) == sorted(
        values, key=lambda value: value[0]
    )


class Counted:
    alive = most = 0

    def __init__(self, number):
        self.number = number
        Counted.alive += 1
        Counted.most = max(Counted.most, Counted.alive)

    def __reduce__(self):
        return Counted, (self.number,)

    def __del__(self):
        Counted.alive -= 1


def test_few_values_are_in_memory_at_once(monkeypatch):
    monkeypatch.setattr(sort_module, "MAX_VALUES_IN_MEMORY", 200)
    monkeypatch.setattr(sort_module, "_BATCH", 10)
    last = -1
    for value in external_sort(
        (Counted(n * 7919 % 5000) for n in range(5000)), key=lambda v: v.number
    ):
        assert value.number == last + 1
        last = value.number
    assert last == 4999
    assert Counted.most < 500  # a run, or a batch of each of 25 runs
