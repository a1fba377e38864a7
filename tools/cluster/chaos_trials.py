"""Chaos trials: builds into which a fault is injected, repeated and checked."""

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
from tools.cluster.fault_injectors import Injector, already_faulty, descendants
from tools.cluster.processes import started
from tools.cluster.targets import Target

_PAIRS = 3000
_TIMEOUT_SECONDS = 600.0
_EXIT_SECONDS = 120.0  # seconds; one that just imports Beam looks up when it is done with that


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Args:
        open: makes the target of the build.
        inject: the injector.
        unavailable: returns the reason why it cannot be tried here, if any.
    """

    open: targets.Open
    inject: Injector = already_faulty
    unavailable: Callable[[], str | None] = lambda: None


@dataclass(frozen=True)
class TrialBuild:
    """The build of every trial.

    Args:
        folder: for the raw data and the records.
    """

    folder: Path

    @property
    def log(self) -> Path:
        """The output of the last build."""
        return self.folder / "log"

    def build(self) -> Build:
        """A build of thirty shards or so."""
        source = TranslationGrammar(self.folder / "raw", pairs=_PAIRS, seed=1)
        source.prepare(lambda done, total: None)
        recipe = TextPairRecipe(Tokenization("bpe", 300))
        return Build(source, recipe, {"validation": 0.1, "test": 0.1}, records_per_shard=100)

    def start(self, target: Target) -> int:
        """Builds in a process of its own, forked from this one; returns its number."""
        pid = os.fork()
        if pid:
            return pid
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        try:
            self.build().run(target.records, runner=target.runner)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)


class ChaosTrials:
    """Injects faults into builds, one after the other.

    Args:
        trial_build: the build.
        seed: of the moments and of the processes that are chosen.
    """

    def __init__(self, trial_build: TrialBuild, seed: int) -> None:
        self._trial_build = trial_build
        self._rng = random.Random(seed)
        self._expected, _ = self._build(targets.disk)
        self._seconds: dict[targets.Open, float] = {}

    def _build(self, open_target: targets.Open) -> tuple[dict[str, bytes], float]:
        """The files of a build without faults, and its duration, in seconds."""
        with open_target(self._trial_build.folder / "target", 1 << 20) as target:
            began = time.monotonic()
            if _await(self._trial_build.start(target)) != 0:
                raise SystemExit(
                    f"a build without faults failed\n{self._trial_build.log.read_text()}"
                )
            return target.contents(), time.monotonic() - began

    def attempt(self, fault: Fault) -> str:
        """Injects a fault into one build, repeats the build, and returns the outcome."""
        if fault.open not in self._seconds:
            built, self._seconds[fault.open] = self._build(fault.open)
            if built != self._expected:
                return "wrong: other bytes than on a disk"
        size = sum(map(len, self._expected.values())) // 1024
        room = self._rng.randrange(size // 20, size)
        with fault.open(self._trial_build.folder / "target", room) as target:
            return self._run_with_fault(fault, target)

    def _run_with_fault(self, fault: Fault, target: Target) -> str:
        main = self._trial_build.start(target)
        time.sleep(self._rng.uniform(0, self._seconds[fault.open]))
        family = self._inject(fault, main, target)
        code = _await(main)
        left = _surviving(family or {})
        first = target.contents()
        wrong = self._check_first(code, left, first) or self._check_second(fault, target)
        if wrong:
            return f"wrong: {wrong}"
        if family is None:
            return "not injected"
        return "whole at once" if first else "none, then whole"

    def _check_first(
        self, code: int | None, left: list[int], first: dict[str, bytes]
    ) -> str | None:
        """The failure after a build with a fault, if any."""
        if code is None:
            return "it hung"
        if left:
            return f"processes {left} live on"
        if first not in ({}, self._expected):
            return "half a data set"
        if (code == 0) != (first == self._expected):
            return f"exit code {code}"
        return None

    def _check_second(self, fault: Fault, target: Target) -> str | None:
        """Builds once more; returns the failure, if any."""
        target.repair()
        began = time.monotonic()
        if _await(self._trial_build.start(target)) != 0 or target.contents() != self._expected:
            return f"the second build failed\n{self._trial_build.log.read_text()}"
        self._seconds[fault.open] = time.monotonic() - began  # the machine may be less busy by now
        if leftovers := target.leftovers():
            return f"{', '.join(sorted(leftovers))} left behind"
        return None

    def _inject(self, fault: Fault, main: int, target: Target) -> dict[int, str | None] | None:
        """The processes of the build at the injection; None if it ended before."""
        family: dict[int, str | None] = {}
        while os.waitid(os.P_PID, main, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            family = {pid: started(pid) for pid in descendants(main)}
            if fault.inject(main, target, self._rng):
                return family
            time.sleep(0.01)
        return family if fault.inject is already_faulty else None  # faulty from the start


def _await(pid: int) -> int | None:
    """The exit code of a child, `None` if it did not end in time."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _surviving(family: dict[int, str | None]) -> list[int]:
    """Waits until the processes of a build have ended; returns those that do not end."""
    deadline = time.monotonic() + _EXIT_SECONDS
    while left := [pid for pid, since in family.items() if since and started(pid) == since]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return left
