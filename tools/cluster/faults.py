"""Builds that are hindered at random moments: is there ever half a data set, or a wrong one?

    python -m tools.cluster.faults --trials 20                  # every fault, in turns
    python -m tools.cluster.faults --faults worker main --seed 7

After every fault there must be no data set, or a whole one. What a killed build left behind must
not hinder the next one, which must finish with the bytes of a build that nothing hindered. Prints a
tally, and returns 1 if that ever was not so.

The faults: a `worker` process, the process that `forks` workers or the `main` one is killed; the
folder that is being written vanishes (`target`); the file system is full (`disk`: a small one in
memory, which only root can mount).
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rnnpipe.records.metadata import import_datasets
from rnnpipe.sources.text.grammars import TranslationGrammar
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.runner import Runner
from rnnpipe.transforms.text import Tokenization
from rnnpipe.transforms.text_pairs import TextPairRecipe

_PAIRS = 3000
_PATIENCE = 300.0


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

    def start(self, target: Path) -> int:
        """Builds in a process of its own, forked from this one; returns its number."""
        pid = os.fork()
        if pid:
            return pid
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        try:
            self.build().run(target, runner=Runner(workers=2))
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


def _kill_worker(main: int, target: Path, chance: random.Random) -> None:
    children = descendants(main)
    _kill([pid for pid in children if pid not in _children(main)], chance)


def _kill_forker(main: int, target: Path, chance: random.Random) -> None:
    _kill(_children(main), chance)


def _children(main: int) -> list[int]:
    listed = Path(f"/proc/{main}/task/{main}/children")
    told = listed.read_text().split() if listed.is_file() else []
    return [int(pid) for pid in told] or descendants(main)[:1]


def _kill_main(main: int, target: Path, chance: random.Random) -> None:
    os.kill(main, signal.SIGKILL)


def _remove_target(main: int, target: Path, chance: random.Random) -> None:
    for folder in target.parent.glob(f"{target.name}.incomplete-*"):
        shutil.rmtree(folder, ignore_errors=True)


Fault = Callable[[int, Path, random.Random], None]

FAULTS: dict[str, Fault] = {
    "worker": _kill_worker,
    "forks": _kill_forker,
    "main": _kill_main,
    "target": _remove_target,
    "disk": lambda main, target, chance: None,
}


@contextmanager
def _place(folder: Path, fault: str, kilobytes: int) -> Iterator[Path]:
    """Where a trial builds: an empty folder, on a file system of its own if that is to be full."""
    folder.mkdir()
    if fault == "disk":
        size = f"size={kilobytes}k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        if fault == "disk":
            subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by name; nothing of a folder that is not there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


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


def attempt(
    bench: Bench, fault: str, right: dict[str, bytes], seconds: float, chance: random.Random
) -> str:
    """Hinders one build and does it again; says what came of it, `wrong: …` where it may not."""
    size = sum(map(len, right.values())) // 1024
    with _place(bench.folder / "place", fault, chance.randrange(size // 20, size)) as place:
        target = place / "records"
        main = bench.start(target)
        time.sleep(chance.uniform(0, seconds))
        family = descendants(main)
        FAULTS[fault](main, target, chance)
        code = _await(main)
        _outlive(family)
        first = contents(target)
        if code is None:
            return "wrong: it hung"
        if first not in ({}, right):
            return "wrong: half a data set"
        if (code == 0) != (first == right):
            return f"wrong: exit code {code}"
        if fault == "disk":
            subprocess.run(["mount", "-o", "remount,size=1g", str(place)], check=True)
        if _await(bench.start(target)) != 0 or contents(target) != right:
            return f"wrong: the second build failed\n{bench.log.read_text()}"
        if [path.name for path in place.iterdir()] != [target.name]:
            return "wrong: something is left behind"
    return "whole at once" if first else "none, then whole"


def _outlive(family: list[int]) -> None:
    """Waits until the processes of a killed build have ended: they may not, and then stay."""
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in family) and time.monotonic() < deadline:
        time.sleep(0.1)


def main() -> int:
    """Runs the trials, prints their table, and returns 1 if anything was wrong."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("--trials", type=int, default=5, help="of each fault (%(default)s)")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    import_datasets()
    chance = random.Random(given.seed)
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    tally: dict[str, Counter[str]] = {fault: Counter() for fault in given.faults}
    try:
        bench = Bench(folder)
        _ = bench.build().fingerprint  # of the code as it is now, for all trials
        began = time.monotonic()
        if _await(bench.start(folder / "right")) != 0:
            raise SystemExit("the build that nothing hinders failed")
        seconds = time.monotonic() - began
        right = contents(folder / "right")
        for trial in range(given.trials):
            for fault in given.faults:
                outcome = attempt(bench, fault, right, seconds, chance)
                tally[fault][outcome] += 1
                print(f"{trial:3} {fault:8}{outcome}", flush=True)
    finally:
        shutil.rmtree(folder)
    for fault, outcomes in tally.items():
        print(f"{fault:8}", ", ".join(f"{n} x {outcome}" for outcome, n in outcomes.items()))
    return int(any(o.startswith("wrong") for outcomes in tally.values() for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
