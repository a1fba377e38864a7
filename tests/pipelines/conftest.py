"""What the tests of pipelines share."""

import re

import pytest


@pytest.fixture
def count_of():
    """The number in a row of the table that a build ends with."""

    def count(told: str, row: str) -> int:
        found = re.search(rf"{row} +│ +(\d+) │", told)
        assert found is not None
        return int(found[1])

    return count
