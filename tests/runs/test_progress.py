import io

import pytest
from rich.console import Console

from rnnpipe.runs.progress import BuildProgress


def test_every_stage_has_a_line_with_its_count():
    terminal = io.StringIO()
    with BuildProgress(Console(file=terminal, width=100)) as progress:
        progress("counting", 0, 0)
        progress("writing", 5, 20)
        progress("writing", 20, 20, 3)
    printed = terminal.getvalue()
    assert "counting" in printed
    assert "20/20" in printed
    assert "3 dead letters" in printed


class Clock:
    """Time that passes when a test says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def line_after(steps):
    """The line of a stage that was passed `(done, total, dead letters)` after some seconds each."""
    terminal, clock = io.StringIO(), Clock()
    with BuildProgress(Console(file=terminal, width=120), clock) as progress:
        progress("writing", 0, 0)
        for seconds, *printed in steps:
            clock.now += seconds
            progress("writing", *printed)
    return " ".join(terminal.getvalue().split())


def test_rate_and_time_left_follow_from_the_work_done():
    line = line_after([(7, 100, 1000), (10, 300, 1000, 1), (10, 500, 1000, 2)])
    # Nothing is known of when work on the first 100 began; the other 400 took 20 seconds.
    assert line.endswith("500/1000 0:00:27 left 0:00:25 20/s 2 dead letters")


def test_steps_that_take_minutes_have_a_rate_too():
    line = line_after([(300, 1000, 10_000), (600, 4000, 10_000), (600, 7000, 10_000, 1234)])
    assert line.endswith("7000/10000 0:25:00 left 0:10:00 5/s 1,234 dead letters")


def test_slow_steps_have_a_rate_too():
    assert line_after([(20, 2, 8), (20, 4, 8)]).endswith("4/8 0:00:40 left 0:00:40 0.1/s")


def test_an_unknown_total_has_a_rate_and_no_time_left():
    line = line_after([(1, 10, 0), (2, 5010, 0, 3)])
    assert line.endswith("5010/? 0:00:03 left 2,500/s 3 dead letters")


def test_no_rate_is_printed_before_there_is_one():
    assert line_after([(5, 10, 40)]).endswith("10/40 0:00:05 left -:--:--")


@pytest.mark.parametrize("is_terminal", [False, True])
def test_progress_without_a_terminal_is_a_line_a_minute(is_terminal):
    log, clock = io.StringIO(), Clock()
    console = Console(file=log, width=100, force_terminal=is_terminal)
    with BuildProgress(console, clock) as progress:
        for step in range(1, 7):
            clock.now += 25
            progress("writing", 10 * step, 1000, dead_letters=1)
        lines = [line for line in log.getvalue().splitlines() if line.startswith("writing  ")]
    assert len(lines) == (0 if is_terminal else 2)
    assert is_terminal or lines[0] == "writing  30/1,000  0.4/s  1 dead letters"
