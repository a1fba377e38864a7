"""What benchmarks measured over time: one JSON line a run, and a page of all runs.

    python -m tools.bench.layers --history runs/layers.jsonl
    python -m tools.bench.history runs/layers.jsonl --page runs/layers.html

A line has the machine, its load, the versions, and by case how many times the seconds of ours a
peer took, by the clock and of all threads. The page has a row for each case and peer, and a column
for each run.
"""

import argparse
import datetime
import html
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from rnnpipe.runs.environment import count_processors, find_versions

PACKAGES = ("rnnpipe", "keras", "tensorflow", "numpy", "torch")
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")

Timings: TypeAlias = Mapping[str, Mapping[str, float]]
"""Of one case what `interleave` returns: medians by clock and name, ours under `"ours"`."""


def ratios(timings: Timings) -> dict[str, dict[str, float]]:
    """By peer and clock, how many times the seconds of ours it took.

    Example:
        >>> ratios({"wall": {"ours": 2.0, "keras": 3.0}, "cpu": {"ours": 1.0, "keras": 3.0}})
        {'keras': {'wall': 1.5, 'cpu': 3.0}}
    """
    peers = [name for name in timings["wall"] if name != "ours"]
    return {
        peer: {
            clock: round(timings[clock][peer] / timings[clock]["ours"], 3)
            for clock in ("wall", "cpu")
        }
        for peer in peers
    }


def append_run(path: Path, bench: str, cases: Mapping[str, Timings]) -> None:
    """Adds the line of a run to a file.

    Args:
        path: of the file.
        bench: the name of the benchmark.
        cases: what was measured, by case.
    """
    line = {
        "bench": bench,
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {"processor": _processor(), "cores": count_processors()},
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ},
        "load": round(os.getloadavg()[0], 1),
        "versions": find_versions(PACKAGES),
        "ratios": {case: ratios(timings) for case, timings in cases.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def render(runs: Sequence[Mapping[str, Any]]) -> str:
    """The page of runs, as HTML."""
    rows: dict[tuple[str, str], list[str]] = {}
    for index, run in enumerate(runs):
        for case, peers in run["ratios"].items():
            for peer, found in peers.items():
                cells = rows.setdefault((f"{run['bench']}: {case}", peer), [""] * len(runs))
                cells[index] = f"{found['wall']:.2f} ({found['cpu']:.2f})"
    body = "".join(_row([*names, *cells]) for names, cells in rows.items())
    heads = [_head(run) for run in runs]
    return (
        "<!doctype html><meta charset='utf-8'><title>Benchmarks</title>"
        "<style>body{font:14px sans-serif}td,th{padding:2px 8px;text-align:right;"
        "vertical-align:top}th{white-space:pre-line}</style>"
        "<p>How many times the seconds of ours a peer took: by the clock, and of all threads.</p>"
        f"<table>{_row(['case', 'peer', *heads], 'th')}{body}</table>\n"
    )


def _head(run: Mapping[str, Any]) -> str:
    machine, versions = run["machine"], run["versions"]
    threads = ", ".join(f"{name}={value}" for name, value in run["threads"].items())
    lines = [
        run["time"],
        f"{machine['cores']} × {machine['processor']}, load {run['load']}",
        threads,
        ", ".join(f"{name} {version}" for name, version in versions.items()),
    ]
    return "\n".join(line for line in lines if line)


def _row(cells: Sequence[str], tag: str = "td") -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>\n"


def _processor() -> str:
    """The model of the processor, as Linux knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def main() -> None:
    """Parses, reads, writes the page."""
    parser = argparse.ArgumentParser(description="Draws a page of what benchmarks measured.")
    parser.add_argument("runs", type=Path, help="the file of JSON lines")
    parser.add_argument("--page", type=Path, required=True, help="the HTML file to write")
    options = parser.parse_args()
    lines = options.runs.read_text(encoding="utf-8").splitlines()
    options.page.write_text(render([json.loads(line) for line in lines]), encoding="utf-8")


if __name__ == "__main__":
    main()
