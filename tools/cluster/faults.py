"""Builds that are hindered at random moments: is there ever half a data set, or a wrong one?

    python -m tools.cluster.faults --trials 20                  # every fault, in turns
    python -m tools.cluster.faults --faults worker main --seed 7

After every fault there must be no data set, or a whole one. What a killed build left behind must
not hinder the next one, which must finish with the bytes of a build that nothing hindered. Prints a
tally, and returns 1 if that ever was not so.

The faults: a `worker` process, the process that `forks` workers or the `main` one is killed; the
folder that is being written vanishes (`target`); the file system is full (`disk`: a small one in
memory, which only root can mount). In an object store: `store-main`, `store-target`. On the cluster
of `tools/cluster/flink.py`, which is started and stopped: a `taskmanager` is killed with all that
it has started, and replaced; the process that waits for the job is killed (`flink-main`).
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.records.metadata import import_datasets
from rnnpipe.sources.text.grammars import TranslationGrammar
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.text import Tokenization
from rnnpipe.transforms.text_pairs import TextPairRecipe
from tools.cluster import places
from tools.cluster.flink import Cluster
from tools.cluster.parts import default_home
from tools.cluster.places import Place

_PAIRS = 3000
_PATIENCE = 600.0


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


def descendants(pid: int) -> list[int]:
    """The processes that come of one, its own children first."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(folder.name))
    found = list(parents.get(pid, []))
    for child in found:
        found += parents.get(child, [])
    return found


def _kill(pids: list[int], chance: random.Random) -> None:
    if pids:
        os.kill(chance.choice(pids), signal.SIGKILL)


Strike = Callable[[int, Place, random.Random], object]
"""Does the harm: to the process of that number, to where it builds, by chance."""


def _kill_worker(main: int, place: Place, chance: random.Random) -> None:
    children = descendants(main)
    _kill([pid for pid in children if pid not in _children(main)], chance)


def _kill_forker(main: int, place: Place, chance: random.Random) -> None:
    _kill(_children(main), chance)


def _children(main: int) -> list[int]:
    listed = Path(f"/proc/{main}/task/{main}/children")
    told = listed.read_text().split() if listed.is_file() else []
    return [int(pid) for pid in told] or descendants(main)[:1]


def _kill_main(main: int, place: Place, chance: random.Random) -> None:
    os.kill(main, signal.SIGKILL)


def _vanish(main: int, place: Place, chance: random.Random) -> None:
    place.vanish()


def _replace_taskmanager(cluster: Cluster, main: int, place: Place, chance: random.Random) -> None:
    cluster.processes.kill(f"taskmanager-{chance.randrange(places.WORKERS)}")
    place.mend()


@dataclass(frozen=True)
class Fault:
    """What happens to a build.

    Args:
        open: makes the place where it happens.
        strike: what happens; nothing where the place is bad enough.
    """

    open: places.Open
    strike: Strike = lambda main, place, chance: None


def faults(cluster: Cluster) -> Mapping[str, Fault]:
    """All of them, by name."""
    on_flink = partial(places.flink, cluster)
    return {
        "worker": Fault(places.disk, _kill_worker),
        "forks": Fault(places.disk, _kill_forker),
        "main": Fault(places.disk, _kill_main),
        "target": Fault(places.disk, _vanish),
        "disk": Fault(places.small_disk),
        "store-main": Fault(places.store, _kill_main),
        "store-target": Fault(places.store, _vanish),
        "taskmanager": Fault(on_flink, partial(_replace_taskmanager, cluster)),
        "flink-main": Fault(on_flink, _kill_main),
    }


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


class Trials:
    """Hinders builds, one after the other.

    Args:
        bench: what is built.
        seed: of the moments, and of whom it strikes.
    """

    def __init__(self, bench: Bench, seed: int) -> None:
        self._bench = bench
        self._chance = random.Random(seed)
        self._right, _ = self._build(places.disk)
        self._seconds: dict[places.Open, float] = {}

    def _build(self, open_place: places.Open) -> tuple[dict[str, bytes], float]:
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
        family = descendants(main)
        fault.strike(main, place, self._chance)
        code = _await(main)
        _outlive(family)
        first = place.contents()
        if code is None:
            return "wrong: it hung"
        if first not in ({}, self._right):
            return "wrong: half a data set"
        if (code == 0) != (first == self._right):
            return f"wrong: exit code {code}"
        place.mend()
        if _await(self._bench.start(place)) != 0 or place.contents() != self._right:
            return f"wrong: the second build failed\n{self._bench.log.read_text()}"
        if remains := place.remains():
            return f"wrong: {', '.join(sorted(remains))} left behind"
        return "whole at once" if first else "none, then whole"


def _outlive(family: list[int]) -> None:
    """Waits until the processes of a killed build have ended: they may not, and then stay."""
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in family) and time.monotonic() < deadline:
        time.sleep(0.1)


def main() -> int:
    """Runs the trials, prints their table, and returns 1 if anything was wrong."""
    cluster = Cluster(Path(os.environ.get("RNNPIPE_FLINK", default_home())))
    every = faults(cluster)
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("--trials", type=int, default=5, help="of each fault (%(default)s)")
    parser.add_argument("--faults", nargs="+", choices=every, default=list(every))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    import_datasets()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    was_running = bool(cluster.processes.names())
    tally: dict[str, Counter[str]] = {fault: Counter() for fault in given.faults}
    try:
        bench = Bench(folder)
        _ = bench.build().fingerprint  # of the code as it is now, for all trials
        trials = Trials(bench, given.seed)
        for trial in range(given.trials):
            for name in given.faults:
                outcome = trials.attempt(every[name])
                tally[name][outcome] += 1
                print(f"{trial:3} {name:13}{outcome}", flush=True)
    except UserError as fault:
        print(f"faults: {fault}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder)
        if not was_running:
            cluster.stop()
    for name, outcomes in tally.items():
        print(f"{name:13}", ", ".join(f"{n} x {outcome}" for outcome, n in outcomes.items()))
    return int(any(o.startswith("wrong") for outcomes in tally.values() for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
