"""Every reader with 10,000 cases in all, and with 1,000,000 where `-m slow` asks for them.

What is read is a value that equals an oracle's where there is one, or it is refused by a
`UserError` or a `BadRecord`; no case hangs, fills the memory or writes outside of its folder.
"""

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz import comparisons, configs, pictures, predictions, records, runs, sounds, texts
from tests.fuzz.cases import Reader
from tests.fuzz.limits import bounded_memory, call

READERS: tuple[Reader, ...] = (
    *configs.READERS,
    *texts.READERS,
    *pictures.READERS,
    *sounds.READERS,
    *records.READERS,
    *runs.READERS,
    *predictions.READERS,
    *comparisons.READERS,
)
IDS = [reader.name for reader in READERS]
MANY = 100  # times as many cases
_CHUNK = 2000  # cases of which Hypothesis remembers what it has tried


def fuzz(reader, number, folder):
    """Reads so many cases, the same ones every time; returns how many these were."""
    with bounded_memory():
        return sum(
            read_cases(reader, chunk, min(_CHUNK, number - start), folder)
            for chunk, start in enumerate(range(0, number, _CHUNK))
        )


def read_cases(reader, chunk, number, folder):
    """Reads the cases of a chunk; returns how many these were."""
    done = 0

    @seed(chunk)
    @settings(
        max_examples=number,
        database=None,  # nothing is written into the checkout
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(reader.cases)
    def check(case):
        nonlocal done
        done += 1
        call(reader.read, case, folder)

    check()
    return done


def test_the_shares_are_ten_thousand_cases():
    assert sum(reader.share for reader in READERS) == 10_000
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("reader", READERS, ids=IDS)
def test_a_reader_takes_whatever_it_is_given(reader, tmp_path):
    assert fuzz(reader, reader.share, tmp_path) >= reader.share


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS, ids=IDS)
def test_a_reader_takes_a_hundred_times_as_much(reader, tmp_path):
    number = MANY * reader.share
    assert fuzz(reader, number, tmp_path) >= number
