"""Trials: builds that are hindered, done again, and looked at."""

import os
import random
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rnnpipe.sources.generated.grammars import TranslationGrammar
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.text_pairs import TextPairRecipe
from rnnpipe.transforms.recipes.tokenization import Tokenization
from tools.cluster import targets
from tools.cluster.fault_injectors import Strike, descendants, nothing_more
from tools.cluster.processes import started
from tools.cluster.targets import Place

_PAIRS = 3000
_PATIENCE = 600.0
_LINGERING = 120.0  # seconds; one that just imports Beam looks up when it is done with that


@dataclass(frozen=True)
class Fault:
    """What happens to a build.

    Args:
        open: makes the place where it happens.
        strike: what happens there.
        hindrance: why it cannot be tried here, if so.
    """

    open: targets.Open
    strike: Strike = nothing_more
    hindrance: Callable[[], str | None] = lambda: None


@dataclass(frozen=True)
class Bench:
    """What every trial builds.

    Args:
        folder: for the raw data and the records.
    """

    folder: Path

    @property
    def log(self) -> Path:
        """What the last build said."""
        return self.folder / "log"

    def build(self) -> Build:
        """A build of thirty shards or so."""
        source = TranslationGrammar(self.folder / "raw", pairs=_PAIRS, seed=1)
        source.prepare(lambda done, total: None)
        recipe = TextPairRecipe(Tokenization("bpe", 300))
        return Build(source, recipe, {"validation": 0.1, "test": 0.1}, records_per_shard=100)

    def start(self, place: Place) -> int:
        """Builds in a process of its own, forked from this one; returns its number."""
        pid = os.fork()
        if pid:
            return pid
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        try:
            self.build().run(place.target, runner=place.runner)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)


class Trials:
    """Hinders builds, one after the other.

    Args:
        bench: what is built.
        seed: of the moments, and of whom it strikes.
    """

    def __init__(self, bench: Bench, seed: int) -> None:
        self._bench = bench
        self._chance = random.Random(seed)
        self._right, _ = self._build(targets.disk)
        self._seconds: dict[targets.Open, float] = {}

    def _build(self, open_place: targets.Open) -> tuple[dict[str, bytes], float]:
        """What a build gives that nothing hinders, and how long it takes, in seconds."""
        with open_place(self._bench.folder / "place", 1 << 20) as place:
            began = time.monotonic()
            if _await(self._bench.start(place)) != 0:
                raise SystemExit(f"an unhindered build failed\n{self._bench.log.read_text()}")
            return place.contents(), time.monotonic() - began

    def attempt(self, fault: Fault) -> str:
        """Hinders one build and does it again; says what came of it."""
        if fault.open not in self._seconds:
            built, self._seconds[fault.open] = self._build(fault.open)
            if built != self._right:
                return "wrong: other bytes than on a disk"
        size = sum(map(len, self._right.values())) // 1024
        room = self._chance.randrange(size // 20, size)
        with fault.open(self._bench.folder / "place", room) as place:
            return self._hinder(fault, place)

    def _hinder(self, fault: Fault, place: Place) -> str:
        main = self._bench.start(place)
        time.sleep(self._chance.uniform(0, self._seconds[fault.open]))
        family = self._strike(fault, main, place)
        code = _await(main)
        left = _outlive(family or {})
        first = place.contents()
        wrong = self._judge(code, left, first) or self._finish(fault, place)
        if wrong:
            return f"wrong: {wrong}"
        if family is None:
            return "not struck"
        return "whole at once" if first else "none, then whole"

    def _judge(self, code: int | None, left: list[int], first: dict[str, bytes]) -> str | None:
        """What is wrong after a hindered build."""
        if code is None:
            return "it hung"
        if left:
            return f"processes {left} live on"
        if first not in ({}, self._right):
            return "half a data set"
        if (code == 0) != (first == self._right):
            return f"exit code {code}"
        return None

    def _finish(self, fault: Fault, place: Place) -> str | None:
        """Builds once more; what is wrong then."""
        place.mend()
        began = time.monotonic()
        if _await(self._bench.start(place)) != 0 or place.contents() != self._right:
            return f"the second build failed\n{self._bench.log.read_text()}"
        self._seconds[fault.open] = time.monotonic() - began  # the machine may be less busy by now
        if remains := place.remains():
            return f"{', '.join(sorted(remains))} left behind"
        return None

    def _strike(self, fault: Fault, main: int, place: Place) -> dict[int, str | None] | None:
        """The processes of the build when it was struck; None if it ended before."""
        family: dict[int, str | None] = {}
        while os.waitid(os.P_PID, main, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            family = {pid: started(pid) for pid in descendants(main)}
            if fault.strike(main, place, self._chance):
                return family
            time.sleep(0.01)
        return family if fault.strike is nothing_more else None  # such a place strikes at once


def _await(pid: int) -> int | None:
    """The exit code of a child, `None` if it did not end in time."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _outlive(family: dict[int, str | None]) -> list[int]:
    """Waits until the processes of a build have ended; returns those that do not end."""
    deadline = time.monotonic() + _LINGERING
    while left := [pid for pid, since in family.items() if since and started(pid) == since]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return left
