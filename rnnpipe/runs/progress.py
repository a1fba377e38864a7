"""Progress on the terminal: one line a stage, with rate and time left."""

import math
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from rnnpipe.records.directory import RecordsDirectory

_SECONDS_PER_LINE = 60.0

Clock = Callable[[], float]
"""Tells the time, in seconds."""


def make_progress(console: Console, clock: Clock = time.monotonic) -> Progress:
    """A set of progress lines: name, bar, count, time spent and left, and a free text.

    The rate, and the time left by it, are those of the last thousand steps, however long these
    take: a shard of videos may take minutes.

    Args:
        console: where they are shown.
        clock: by which rates are measured.
    """
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
        console=console,
        get_time=clock,
        speed_estimate_period=math.inf,
    )


class LogLines:
    """Lines of progress where no terminal shows bars, e.g. in the log of a cluster's job.

    Args:
        console: where they are printed.
        clock: by which time passes.
        every: seconds between two lines.
    """

    def __init__(
        self, console: Console, clock: Clock = time.monotonic, every: float = _SECONDS_PER_LINE
    ) -> None:
        self._console, self._clock, self._every = console, clock, every
        self._last = clock()

    def __call__(self, line: Callable[[], str]) -> None:
        """Prints a line if it is due.

        Args:
            line: makes it.
        """
        if not self._console.is_terminal and self._clock() - self._last >= self._every:
            self._last = self._clock()
            self._console.print(line())


class BuildProgress:
    """The stages of a build, as a context and as the callable that a build reports to.

    Args:
        console: where they are shown.
        clock: by which rates are measured.
    """

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        self._progress = make_progress(console, clock)
        self._log = LogLines(console, clock)
        self._lines: dict[str, TaskID] = {}

    def __enter__(self) -> "BuildProgress":
        self._progress.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.__exit__(kind, fault, trace)

    def __call__(self, stage: str, done: int, total: int, dead_letters: int = 0) -> None:
        """Shows how far a stage is.

        Args:
            stage: its name.
            done: records that are through it.
            total: of how many; 0: it is not known.
            dead_letters: raw records that were left out until now.
        """
        if stage not in self._lines:
            self._lines[stage] = self._progress.add_task(stage, total=None, text="")
        line = self._lines[stage]
        self._progress.update(line, completed=done, total=total or None)
        speed = self._progress.tasks[line].speed
        texts = [f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.2g}/s"] if speed else []
        if dead_letters:
            texts.append(f"{dead_letters:,} dead letters")
        self._progress.update(line, text="  ".join(texts))
        counts = f"{done:,}/{total:,}" if total else f"{done:,}"
        self._log(lambda: "  ".join([stage, counts, *texts]))


def check_records(records: RecordsDirectory, console: Console) -> None:
    """Copies what is missing here of records in an object store, and checks all, with progress.

    Args:
        records: finished ones.
        console: where the progress is shown; there is none if no file is copied or read.

    Raises:
        DamagedRecords: they are not as they were built.
        UserError: a file cannot be had as it was published.
    """
    with BuildProgress(console) as progress:
        records.fetch(lambda done, total: progress("fetching", done, total))
        records.check(lambda done, total: progress("checking", done, total))
