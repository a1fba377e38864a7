"""Whether exports answer as their runs do, on the whole test split.

    python -m tools.bench.export_answers runs/*
    python -m tools.bench.export_answers runs/vqa --formats onnx litert
    python -m tools.bench.export_answers runs/* --formats onnx --quantize int8

Of each run, which keeps its records, each export is made in a temporary folder. All batches of the
test split go through both; a language model reads its text token by token, each network with its
own states. With --quantize the scores of both are compared in the place of their answers.
"""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import rnnpipe
from rnnpipe.exports.check import Call, Comparison, compare_calls, compare_outputs
from rnnpipe.exports.formats import FORMATS
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.export import Export
from rnnpipe.runs.records import find_records
from rnnpipe.runs.run import Run
from rnnpipe.runs.sample import pick_split, record_calls
from rnnpipe.tasks.network import Arrays, Network

_ANSWERS = ("task", "format", "rows", "equal ids", "largest difference", "MB", "s")
_SCORES = ("task", "format", "metric", "float32", "quantized", "difference", "MB", "s")


def main() -> None:
    """Prints a row for each run and format."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN")
    formats = [name for name, form in FORMATS.items() if form.finish is None]
    parser.add_argument("--formats", nargs="+", default=formats, choices=FORMATS)
    parser.add_argument("--quantize", metavar="DTYPE", help="compare scores, e.g. of int8")
    options = parser.parse_args()
    head = _SCORES if options.quantize else _ANSWERS
    print(f"| {' | '.join(head)} |\n" + "|---" * len(head) + "|")
    for path in options.runs:
        run = rnnpipe.load(path)
        if not isinstance(run, Run):
            raise SystemExit(f"{path}: expected the folder of a run")
        compare = _Scores(run) if options.quantize else _Answers(run)
        for name in options.formats:
            with TemporaryDirectory() as folder:
                begun, place = time.perf_counter(), Path(folder) / name
                export = run.export(name, place, quantize=options.quantize, verbose=False)
                cells = compare(export)
                size = sum(file.stat().st_size for file in export.path.rglob("*")) / 1e6
                seconds = time.perf_counter() - begun
                cells = (run.task.name, name, *cells, f"{size:.1f}", f"{seconds:.0f}")
                print(f"| {' | '.join(cells)} |", flush=True)


class _Scores:
    """The main metric of a run and of its quantized export, as the export has them."""

    def __init__(self, run: Run) -> None:
        self._metric = run.task.main_metric

    def __call__(self, export: Export) -> tuple[str, ...]:
        ours, theirs = (each[self._metric] for each in export.manifest.check["scores"].values())
        return self._metric, f"{ours:.4f}", f"{theirs:.4f}", f"{theirs - ours:+.4f}"


class _Answers:
    """The answers of a run, which are computed once for all of its exports."""

    def __init__(self, run: Run) -> None:
        self._task, self._network = run.task, run.predictor.network
        self._records = find_records(run.config, run.task)
        vocabulary = RunDirectory(run.path).vocabulary
        self._calls = record_calls(run.task, self._network, vocabulary, self._records, batches=None)
        self._streams = any(True for _ in self._read(self._network))

    def __call__(self, export: Export) -> tuple[str, ...]:
        found = self._compare(export)
        return f"{found.rows:,}", f"{found.equal_ids:.4%}", f"{found.largest_difference:.1e}"

    def _compare(self, export: Export) -> Comparison:
        network = export.predictor.network
        if not self._streams:
            return compare_calls(network, [c for c in self._calls if c.function in network])
        expected = (Call("step", {}, {}, outputs) for outputs in self._read(self._network))
        return compare_outputs(zip(expected, self._read(network), strict=True))

    def _read(self, network: Network) -> Iterator[Arrays]:
        step = network.get("step")
        if step is None:
            return iter(())
        return self._task.read_streams(step, self._records, pick_split(self._records))


if __name__ == "__main__":
    main()
