"""Contestants that take turns, so that whatever else the machine does hits all of them alike."""

import statistics
import time
from collections.abc import Callable
from typing import Any

Case = Callable[[], Any]


def interleave(
    cases: dict[str, Case], seconds: float, *, least: int = 5
) -> dict[str, dict[str, float]]:
    """By contestant: seconds of the first call, and medians of wall and CPU seconds after it.

    Args:
        cases: the contestants, ours under `"ours"`.
        seconds: how long they take turns.
        least: how many turns there are at least.
    """
    first = {name: seconds_of(case)[0] for name, case in cases.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken["ours"]) < least:
        for name, case in cases.items():
            taken[name].append(seconds_of(case))
    found = {"first": first}
    for index, clock in enumerate(("wall", "cpu")):
        found[clock] = {
            name: statistics.median(pair[index] for pair in pairs) for name, pairs in taken.items()
        }
    return found


def seconds_of(case: Case) -> tuple[float, float]:
    """Wall-clock and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    case()
    return time.perf_counter() - wall, time.process_time() - cpu


def running(graph: Callable[[], Any]) -> Case:
    """A contestant that runs a TensorFlow graph, whose first result is a number, to its end.

    Picking that number outside of the graph would take a millisecond.
    """

    def run() -> None:
        graph()[0].numpy()

    return run


def describe(found: dict[str, dict[str, float]], digits: int) -> str:
    """How long each contestant takes, and how many times as long as ours the others do."""
    wall, cpu = found["wall"], found["cpu"]
    times = "  ".join(f"{name} {1e3 * value:.{digits}f} ms" for name, value in wall.items())
    ratios = "  ".join(
        f"{wall[name] / wall['ours']:.2f} x {name} (cpu {cpu[name] / cpu['ours']:.2f} x)"
        for name in wall
        if name != "ours"
    )
    return f"{times} | {ratios}"
