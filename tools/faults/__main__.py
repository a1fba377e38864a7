"""Disturbs commands at random: what they give is right, or one message says why not.

    python -m tools.faults --trials 100                          # of all kinds and tasks, in turn
    python -m tools.faults --kinds kill disk --tasks vqa --seed 7
    python -m tools.faults --only kill/vqa/7.12                  # one that was bad, again

The kinds: a command is killed (`kill`), or a worker of it (`worker`); a file of what it reads is
damaged (`damage`); raw data changes, before a build or in its midst (`raw`); a disk is full
(`disk`: one in memory, which only root can mount, and limits of file sizes).

Each trial ends in one of these ways: the result of the command is the one without the fault, or it
ends with exit code 2, 130 or 143 and one clear message, and the same command, or the one that the
message names, then gives that result. All else is wrong: tracebacks, hangs, other results, and
whatever is left behind: temporary files, locks, processes. Prints a tally, also when it is
interrupted, and returns 1 if a trial was wrong.

Commands run in children that are forked from this process, which has imported everything: so a
trial takes a few seconds.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tools.faults.commands import COMMANDS
from tools.faults.damage import damage
from tools.faults.disks import fill
from tools.faults.kills import kill, kill_worker
from tools.faults.oracle import Reference, Wrong
from tools.faults.raw_data import change_raw_data
from tools.faults.subjects import TASKS, Subject
from tools.faults.trial import Trial
from tools.faults.warm import import_all

KINDS: Mapping[str, Callable[[Trial], str]] = {
    "kill": kill,
    "worker": kill_worker,
    "damage": damage,
    "raw": change_raw_data,
    "disk": fill,
}


def name_trials(options: argparse.Namespace) -> Iterator[str]:
    """The names of all trials; each is drawn from its name alone."""
    for number in range(options.trials):
        kind = options.kinds[number % len(options.kinds)]
        task = options.tasks[number // len(options.kinds) % len(options.tasks)]
        yield f"{kind}/{task}/{options.seed}.{number}"


class Lab:
    """Makes trials in a folder.

    Args:
        folder: where; what is prepared for trials is found and left there.
        commands: which may be drawn.
    """

    def __init__(self, folder: Path, commands: frozenset[str]) -> None:
        self._folder, self._commands = folder, commands
        self._subjects: dict[str, Subject] = {}
        self._references: dict[str, Reference] = {}
        self.tally: dict[str, Counter[str]] = {}

    def attempt(self, name: str) -> str | None:
        """Makes the trial of a name; returns what was wrong."""
        kind, task, _ = name.split("/")
        trial = Trial(name, self._subject(task), self._references, self._commands)
        wrong, before = None, _cpu_seconds()
        try:
            outcome = KINDS[kind](trial)
        except Wrong as fault:
            outcome, wrong = "WRONG", str(fault)
        self.tally.setdefault(kind, Counter())[outcome] += 1
        seconds, what = _cpu_seconds() - before, trial.what
        what += f"\n    {wrong}" if wrong else ""
        print(f"{name:32}{seconds:5.1f} s  {outcome:22}{what}", flush=True)
        return wrong

    def _subject(self, task: str) -> Subject:
        if task not in self._subjects:
            whole = self._folder / "whole" / task
            self._subjects[task] = Subject(task, self._folder / "place", whole)
        return self._subjects[task]

    def print_tally(self) -> None:
        """Prints how many trials of each kind had which outcome."""
        outcomes = sorted({outcome for counts in self.tally.values() for outcome in counts})
        print("", "| kind | trials | " + " | ".join(outcomes) + " |", sep="\n")
        print("| --- |" + " ---: |" * (len(outcomes) + 1))
        for kind, counts in self.tally.items():
            cells = [kind, counts.total(), *(counts[outcome] for outcome in outcomes)]
            print(f"| {' | '.join(map(str, cells))} |")


def _cpu_seconds() -> float:
    """How long this process and its children have computed."""
    return sum(os.times()[:4])


def main() -> int:
    """Makes the trials, prints their tally, and returns 1 if any was wrong."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("--trials", type=int, default=50, help="how many (%(default)s)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    about_commands = "the only ones to try, where a kind of trial has some of them"
    parser.add_argument("--commands", nargs="+", choices=sorted(COMMANDS), help=about_commands)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="trials by their names")
    about_folder = "where, to be kept for further commands (default: a temporary folder)"
    parser.add_argument("--folder", type=Path, help=about_folder)
    options = parser.parse_args()
    import_all()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="faults-"))
    commands = frozenset(options.commands or COMMANDS)
    lab, wrong = Lab(folder.absolute(), commands), list[str]()
    try:
        for name in options.only or name_trials(options):
            if lab.attempt(name):
                wrong.append(name)
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
        lab.print_tally()
        if wrong:
            drawn_of = f"--commands {' '.join(options.commands)} " if options.commands else ""
            print(f"\nWRONG: python -m tools.faults {drawn_of}--only {' '.join(wrong)}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
