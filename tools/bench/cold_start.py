"""The first answer of a process: CPU seconds, wall-clock seconds and memory of `rnnpipe predict`.

    python -m tools.bench.cold_start runs/sentiment translator -- --text "Not a bad film."
    python -m tools.bench.cold_start --rounds 9 runs/vqa vqa -- --image a.jpg --question "Where?"

Each answer is given by a process of its own. The processes of runs and exports alternate, so that
other load affects all alike; the figures are medians. A first round, which may read files from the
disk, counts for nothing.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Args:
        cpu: seconds, of all threads.
        wall: seconds.
        memory: bytes, at most.
    """

    cpu: float
    wall: float
    memory: float


def main() -> None:
    """Prints a row for each run or export."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+", type=Path, metavar="RUN_OR_EXPORT")
    parser.add_argument("--rounds", type=int, default=5)
    ours, inputs = _split(sys.argv[1:])
    options = parser.parse_args(ours)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    costs: dict[Path, list[Cost]] = {model: [] for model in options.models}
    for _ in range(options.rounds + 1):
        for model in options.models:
            costs[model].append(measure([str(model), *inputs]))
    width = max(len(str(model)) for model in costs)
    print(f"{'':{width}}  CPU s  wall s   MB")
    for model, measured in costs.items():
        cpu, wall, memory = (
            statistics.median(getattr(cost, name) for cost in measured[1:])
            for name in ("cpu", "wall", "memory")
        )
        print(f"{model!s:{width}}  {cpu:5.2f}  {wall:6.2f}  {memory / 1e6:3.0f}")


def measure(arguments: list[str]) -> Cost:
    """What `rnnpipe predict` takes with these arguments, in a process of its own."""
    command = [sys.executable, "-m", "rnnpipe.cli", "predict", *arguments]
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    notes = process.stderr.read()  # until the process ends
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}: {' '.join(command)}\n{notes}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those after `--`, which are the inputs."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


if __name__ == "__main__":
    main()
