"""Rows a second, and memory, of batch prediction with workers beside a plain loop.

    rnnpipe export runs/translation --format onnx --output translator
    python -m tools.bench.batch_prediction translator --input texts.en
    python -m tools.bench.batch_prediction translator --input texts.en --times 1 10 --rounds 1

The ways to do it: `rnnpipe predict` without workers, a plain loop over the same predictor, whose
runtime computes in one thread or in as many as there are cores; and the job with one worker and
with two, which compute in one thread each. Each is a process of its own, from its start to its end,
and predicts the lines of the file so many times over. Told are wall-clock and CPU seconds of all
its processes, and the most memory that the main process and any of its workers had.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.bench.memory import find_descendants, read_peak

LOOP, LOOP_OF_MANY, ONE, TWO = (
    "plain loop, 1 thread",
    "plain loop, all cores",
    "job, 1 worker",
    "job, 2 workers",
)
WAYS: Mapping[str, tuple[str, Sequence[str]]] = {
    LOOP: ("1", ()),
    LOOP_OF_MANY: ("", ()),
    ONE: ("", ("--workers", "1")),
    TWO: ("", ("--workers", "2")),
}
"""`OMP_NUM_THREADS`, and the options of the command."""


@dataclass(frozen=True)
class Taken:
    """What a way took.

    Args:
        wall: seconds.
        cpu: seconds of all processes.
        main: the most memory of the main process, MiB.
        worker: the most memory of any of its workers, MiB.
    """

    wall: float
    cpu: float
    main: float
    worker: float


def measure(command: Sequence[str], threads: str) -> Taken:
    """Runs a command and watches its processes."""
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    peaks: dict[int, float] = {}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    main = 0.0
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as process:
        while process.poll() is None:
            main = max(main, read_peak(process.pid))
            for pid in find_descendants(process.pid):
                peaks[pid] = max(peaks.get(pid, 0.0), read_peak(pid))
            time.sleep(0.1)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} failed")
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(wall, cpu, main, max(peaks.values(), default=0.0))


def run(model: str, lines: Path, way: str, options: Sequence[str], folder: Path) -> Taken:
    """Predicts a file in one of the ways."""
    threads, workers = WAYS[way]
    output = folder / ("out" if workers else "out.jsonl")
    command = [sys.executable, "-m", "rnnpipe.cli", "predict", model, "--input", str(lines)]
    extra = [*workers, *(options if workers else ())]
    taken = measure([*command, "--output", str(output), *extra], threads)
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink()
    return taken


def main() -> None:
    """Prints a line for each amount and way: the best of its rounds, interleaved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--input", type=Path, required=True, help="a text, an input in each line")
    parser.add_argument("--times", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rows-per-shard", default="1000")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    text = options.input.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="bench-predict-") as temporary:
        folder = Path(temporary)
        for times in options.times:
            lines = folder / f"{times}.txt"
            with lines.open("w", encoding="utf-8") as file:
                file.writelines(text for _ in range(times))
            shards = ["--rows-per-shard", options.rows_per_shard]
            taken: dict[str, list[Taken]] = {}
            for _ in range(options.rounds):
                for way in options.ways:
                    done = run(options.model, lines, way, shards, folder)
                    taken.setdefault(way, []).append(done)
            report(text.count("\n") * times, taken)


def report(rows: int, taken: Mapping[str, Sequence[Taken]]) -> None:
    """Prints a line for each way."""
    print(f"{rows:,} rows, load {os.getloadavg()[0]:.1f}")
    walls = {way: min(each.wall for each in rounds) for way, rounds in taken.items()}
    for way, rounds in taken.items():
        best = min(rounds, key=lambda each: each.wall)
        beside = f"{walls[LOOP] / best.wall:5.2f} x the loop" if LOOP in walls else ""
        print(
            f"{way:24}{best.wall:8.1f} s{rows / best.wall:9,.0f} rows/s {beside}"
            f"{best.cpu:8.1f} s CPU  main {best.main:5.0f} MiB  worker {best.worker:5.0f} MiB",
            flush=True,
        )


if __name__ == "__main__":
    main()
