"""Fault injectors: each kills a process of a build or removes its files, if they exist."""

import os
import random
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.cluster.flink import Cluster
from tools.cluster.processes import started
from tools.cluster.targets import WORKERS, Target

Injector = Callable[[int, Target, random.Random], bool]
"""Injects a fault into the build of a main process (its number); returns whether it could."""


def children(pid: int) -> list[int]:
    """The running children of a process."""
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
    """The running descendants of a process, its own children first."""
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def _kill_one(pids: Iterable[int], rng: random.Random) -> bool:
    alive = [pid for pid in pids if started(pid) is not None]
    if not alive:
        return False
    try:
        os.kill(rng.choice(alive), signal.SIGKILL)
    except ProcessLookupError:  # it has ended just now
        return False
    return True


def kill_worker(main: int, target: Target, rng: random.Random) -> bool:
    """Kills a worker process."""
    return _kill_one((pid for forker in children(main) for pid in descendants(forker)), rng)


def kill_forker(main: int, target: Target, rng: random.Random) -> bool:
    """Kills the process that forks workers."""
    return _kill_one(children(main), rng)


def kill_main(main: int, target: Target, rng: random.Random) -> bool:
    """Kills the process that waits for the pipelines."""
    return _kill_one([main], rng)


def remove_target(main: int, target: Target, rng: random.Random) -> bool:
    """Removes the folder that is being written."""
    return target.remove_unfinished()


def replace_taskmanager(cluster: Cluster, main: int, target: Target, rng: random.Random) -> bool:
    """Kills a TaskManager of Flink with all that it has started, and starts another one."""
    injected = cluster.processes.kill(f"taskmanager-{rng.randrange(WORKERS)}")
    target.repair()
    return injected


def already_faulty(main: int, target: Target, rng: random.Random) -> bool:
    """For a target that is faulty by itself."""
    return True
