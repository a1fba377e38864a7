"""What hinders a build, and whom it strikes: nobody may be there yet, or any more."""

import os
import random
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.cluster.flink import Cluster
from tools.cluster.processes import started
from tools.cluster.targets import WORKERS, Place

Strike = Callable[[int, Place, random.Random], bool]
"""Does harm to the process of that number, or to where it builds, by chance; says if it struck."""


def children(pid: int) -> list[int]:
    """The processes that one has started and that run."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(folder.name))
    return found


def descendants(pid: int) -> list[int]:
    """The processes that come of one, its own children first."""
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def _kill_one(pids: Iterable[int], chance: random.Random) -> bool:
    alive = [pid for pid in pids if started(pid) is not None]
    if not alive:
        return False
    try:
        os.kill(chance.choice(alive), signal.SIGKILL)
    except ProcessLookupError:  # it has ended just now
        return False
    return True


def kill_worker(main: int, place: Place, chance: random.Random) -> bool:
    """Kills a worker process."""
    return _kill_one((pid for forker in children(main) for pid in descendants(forker)), chance)


def kill_forker(main: int, place: Place, chance: random.Random) -> bool:
    """Kills the process that forks workers."""
    return _kill_one(children(main), chance)


def kill_main(main: int, place: Place, chance: random.Random) -> bool:
    """Kills the process that waits for the pipelines."""
    return _kill_one([main], chance)


def remove_target(main: int, place: Place, chance: random.Random) -> bool:
    """Removes the folder that is being written."""
    return place.vanish()


def replace_taskmanager(cluster: Cluster, main: int, place: Place, chance: random.Random) -> bool:
    """Kills a TaskManager of Flink with all that it has started, and starts another one."""
    struck = cluster.processes.kill(f"taskmanager-{chance.randrange(WORKERS)}")
    place.mend()
    return struck


def nothing_more(main: int, place: Place, chance: random.Random) -> bool:
    """For a place that is bad enough as it is."""
    return True
