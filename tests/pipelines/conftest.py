"""What the tests of pipelines share."""

import re

import pytest


@pytest.fixture
def count_of():
    """The number in a row of the table that a build ends with."""

    def count(printed: str, row: str) -> int:
        found = re.search(rf"{row} +│ +(\d+) │", printed)
        assert found is not None
        return int(found[1])

    return count
