"""Interleaved timing: the calls of all cases alternate, so that other load affects all alike."""

import statistics
import time
from collections.abc import Callable
from typing import Any

Case = Callable[[], Any]


def interleave(
    cases: dict[str, Case], seconds: float, *, min_rounds: int = 5
) -> dict[str, dict[str, float]]:
    """By case: seconds of the first call, and medians of wall and CPU seconds of the later ones.

    Args:
        cases: what is timed, ours under `"ours"`.
        seconds: the total duration.
        min_rounds: the minimum number of rounds.
    """
    first = {name: seconds_of(case)[0] for name, case in cases.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["ours"]) < min_rounds:
        for name, case in cases.items():
            times[name].append(seconds_of(case))
    timings = {"first": first}
    for index, clock in enumerate(("wall", "cpu")):
        timings[clock] = {
            name: statistics.median(pair[index] for pair in pairs) for name, pairs in times.items()
        }
    return timings


def seconds_of(case: Case) -> tuple[float, float]:
    """Wall-clock and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    case()
    return time.perf_counter() - wall, time.process_time() - cpu


def running(graph: Callable[[], Any]) -> Case:
    """A case that runs a TensorFlow graph, whose first result is a number, to its end.

    Picking that number outside of the graph would take a millisecond.
    """

    def run() -> None:
        graph()[0].numpy()

    return run


def describe(timings: dict[str, dict[str, float]], digits: int) -> str:
    """The time of each case, and its ratio to ours."""
    wall, cpu = timings["wall"], timings["cpu"]
    times = "  ".join(f"{name} {1e3 * value:.{digits}f} ms" for name, value in wall.items())
    ratios = "  ".join(
        f"{wall[name] / wall['ours']:.2f} x {name} (cpu {cpu[name] / cpu['ours']:.2f} x)"
        for name in wall
        if name != "ours"
    )
    return f"{times} | {ratios}"
