"""Sentences per second of a translator and its exports: run, SavedModel, ONNX, ONNX in int8.

    python -m tools.bench.exports runs/multi30k_de_en
    python -m tools.bench.exports runs/multi30k_de_en --sentences 64 --rounds 3 --exports DIRECTORY

All translate the same raw texts of the test split in one process, with all its cores and the beam
of the run. They alternate, so that other load affects all alike; a first round, which compiles,
counts for nothing, and of the others the median counts. Beside the wall clock, sentences per second
of CPU time are what cores that nobody else uses would give. Exports that are not there yet are made
first, in the folder of the run.
"""

import argparse
import os
import statistics
from functools import partial
from itertools import islice
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import rnnpipe
from rnnpipe.errors import UserError
from rnnpipe.runs.export import Export, is_export
from rnnpipe.runs.records import find_records
from rnnpipe.runs.run import Run
from rnnpipe.tasks.predictor import Predictor
from tools.bench.interleaved import seconds_of

KINDS = {
    "SavedModel": ("saved_model", None),
    "ONNX": ("onnx", None),
    "ONNX int8": ("onnx", "int8"),
}


def main() -> None:
    """Prints a row for the run and each export."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--sentences", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--exports", type=Path, help="a folder of the exports")
    options = parser.parse_args()
    run = rnnpipe.load(options.run)
    if not isinstance(run, Run):
        raise SystemExit(f"{options.run}: expected the folder of a run")
    exports = find_exports(run, options.exports or run.path / "exports")
    records = find_records(run.config, run.task)
    rows = [{"text": row["source"]} for row in islice(records.read("test"), options.sentences)]
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {len(rows)} sentences", flush=True
    )
    predictors = {"run": run.predictor} | {name: each.predictor for name, each in exports.items()}
    sizes = {"run": size_of(run.path / "model.keras")}
    sizes |= {name: size_of(each.path) for name, each in exports.items()}
    times = time_rounds(predictors, rows, options.rounds)
    print(f"{'':10}  sentences/s  per CPU second     MB")
    for name, (wall, cpu) in times.items():
        rates = f"{len(rows) / wall:11.1f}  {len(rows) / cpu:14.1f}"
        print(f"{name:10}  {rates}  {sizes[name] / 1e6:5.1f}")
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def find_exports(run: Run, folder: Path) -> dict[str, Export]:
    """The exports of a run; those that are missing are made."""
    found = {}
    for name, (kind, quantize) in KINDS.items():
        path = folder / "-".join(filter(None, (kind, quantize)))
        found[name] = Export(path) if is_export(path) else run.export(kind, path, quantize=quantize)
    return found


def time_rounds(
    predictors: dict[str, Predictor], rows: list[dict[str, str]], rounds: int
) -> dict[str, tuple[float, float]]:
    """By name, the medians of wall-clock and CPU seconds of all rows."""
    cases = {name: partial(translate, each, rows) for name, each in predictors.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(rounds + 1):
        for name, case in cases.items():
            times[name].append(seconds_of(case))
    return {
        name: (
            statistics.median(wall for wall, _ in measured[1:]),
            statistics.median(cpu for _, cpu in measured[1:]),
        )
        for name, measured in times.items()
    }


def translate(predictor: Predictor, rows: list[dict[str, str]]) -> None:
    """Translates all rows."""
    for result in predictor.predict(rows):
        if isinstance(result, UserError):
            raise result


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)


if __name__ == "__main__":
    main()
