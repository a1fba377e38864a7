"""Whether exports answer as their runs do, on the whole test split.

    python -m tools.bench.export_answers runs/*
    python -m tools.bench.export_answers runs/vqa --formats onnx litert

Of each run, which keeps its records, each export is made in a temporary folder. All batches of the
test split go through both; language models, which read no records, draw texts from made-up prompts.
"""

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import rnnpipe
from rnnpipe.exports.check import compare_calls
from rnnpipe.exports.formats import FORMATS
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.records import find_records
from rnnpipe.runs.run import Run
from rnnpipe.runs.sample import record_calls


def main() -> None:
    """Prints a row for each run and format."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN")
    formats = [name for name, form in FORMATS.items() if form.finish is None]
    parser.add_argument("--formats", nargs="+", default=formats, choices=FORMATS)
    options = parser.parse_args()
    print("| task | format | rows | equal ids | largest difference | MB | s |\n" + "|---" * 7 + "|")
    for path in options.runs:
        run = rnnpipe.load(path)
        if not isinstance(run, Run):
            raise SystemExit(f"{path}: expected the folder of a run")
        records = find_records(run.config, run.task)
        network, vocabulary = run.predictor.network, RunDirectory(run.path).vocabulary
        calls = record_calls(run.task, network, vocabulary, records, batches=None)
        for name in options.formats:
            with TemporaryDirectory() as folder:
                begun = time.perf_counter()
                export = run.export(name, Path(folder) / name, verbose=False)
                known = export.predictor.network
                found = compare_calls(known, [call for call in calls if call.function in known])
                size = sum(file.stat().st_size for file in export.path.rglob("*")) / 1e6
                cells = (
                    run.task.name,
                    name,
                    f"{found.rows:,}",
                    f"{found.equal_ids:.4%}",
                    f"{found.largest_difference:.1e}",
                    f"{size:.1f}",
                    f"{time.perf_counter() - begun:.0f}",
                )
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
