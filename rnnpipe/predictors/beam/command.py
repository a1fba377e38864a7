"""The command of a job: `rnnpipe predict … --workers N`, and the pipeline module."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from rich.console import Console

from rnnpipe.output import write_error, write_notice
from rnnpipe.predictors.beam.files import ShardFormat, make_shard_writer
from rnnpipe.predictors.beam.places import find_places, open_place
from rnnpipe.predictors.options import (
    add_input_options,
    describe_prediction,
    make_reader,
    parse_options,
)
from rnnpipe.quiet import quiet_import
from rnnpipe.requirements import require, requiring
from rnnpipe.runs.console import make_console
from rnnpipe.runs.export import Export
from rnnpipe.runs.load import load_model
from rnnpipe.runs.progress import BuildProgress
from rnnpipe.storage.paths import as_path, check_new_folder, has_scheme, local_copy, local_path
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.inputs import Input, integer
from rnnpipe.transforms.runners.s3_options import use_s3_options

_WHERE = "a prediction by workers"
_EPILOG = (
    "Options after `--` are Beam's, e.g. `-- --runner=FlinkRunner`; without a --runner the job "
    "runs in --workers processes here."
)


def predict_in_job(model: str, words: Sequence[str], beam_args: Sequence[str]) -> int:
    """Predicts the rows of files by a Beam job, into a folder of files.

    Args:
        model: the folder of a run or of an export, here or in an object store.
        words: the options, and inputs that are the same for all rows.
        beam_args: Beam's own options.

    Returns:
        The exit code: 1 if some rows have no prediction.

    Raises:
        UserError: the options, the rows, the model or the output are not as they should be.
    """
    use_s3_options(beam_args)
    with requiring("build", where=_WHERE), local_copy(_find_path("RUN", model)) as folder:
        loaded = load_model(folder)
        task = loaded.task
        options, texts = parse_options(
            f"rnnpipe predict {model}",
            describe_prediction(task.name),
            task.inputs,
            words,
            _add_options,
            _EPILOG,
        )
        if loaded.path != folder:
            write_notice(f"predicting with {loaded.path}")
        require(*loaded.extras, where=_WHERE)
        if isinstance(loaded, Export):
            _ = loaded.manifest  # its files are whole, and of this version
        name = model if has_scheme(model) else str(loaded.path.absolute())
        summary = _predict(name, task, options, texts, beam_args)
    _report(options.output, summary)
    return int(summary["predicted"] < summary["read"])


def _find_path(option: str, text: str) -> Path:
    return as_path(text) if has_scheme(text) else local_path(option, text)


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the job")
    group.add_argument(
        "--input",
        nargs="+",
        required=True,
        metavar="INPUT",
        help="texts with an input in each line, tables (.csv, .tsv, .jsonl, .parquet) with a "
        "column for each input, folders of files, records directories, or patterns of files; "
        "inputs that are given as options are the same for all rows",
    )
    help_text = "a new folder of the predictions, here or in an object store"
    group.add_argument("--output", required=True, metavar="DIR", help=help_text)
    forms = get_args(ShardFormat)
    help_text = "of the predictions (default: jsonl)"
    group.add_argument("--format", choices=forms, default="jsonl", help=help_text)
    add_input_options(group)
    help_text = "the split of records directories (default: test)"
    group.add_argument("--split", default="test", metavar="NAME", help=help_text)
    help_text = "write the attention weights too, as JSON"
    group.add_argument("--alignments", action="store_true", help=help_text)
    help_text = "local worker processes; 1 works in this process (default: 1)"
    group.add_argument("--workers", default="1", metavar="N", help=help_text)
    help_text = "rows of a file of predictions (default: 1000)"
    group.add_argument("--rows-per-shard", default="1000", metavar="N", help=help_text)
    help_text = "share of rows that may be without a prediction (default: 0.05)"
    group.add_argument("--max-bad-fraction", default="0.05", metavar="X", help=help_text)


def _predict(
    model: str,
    task: Task[Any],
    options: argparse.Namespace,
    texts: Mapping[str, Any],
    beam_args: Sequence[str],
) -> dict[str, Any]:
    with quiet_import():  # of Beam
        from rnnpipe.predictors.beam.job import BatchPrediction
        from rnnpipe.transforms.runners.runner import Runner

    workers = Input("workers", "", integer(1)).parse(options.workers)
    size = Input("rows-per-shard", "", integer(1)).parse(options.rows_per_shard)
    fraction = Input("max-bad-fraction", "", _read_fraction).parse(options.max_bad_fraction)
    runner = Runner(workers, beam_args)
    runner.check()
    output = _find_output(options.output)
    reader = make_reader(task.name, task.inputs, texts, options, options.format, os.getcwd())
    places = [open_place(each, reader, options.split) for each in find_places(options.input)]
    for notice in (notice for place in places for notice in place.notices):
        write_notice(notice)
    columns = dict.fromkeys(column for place in places for column in place.columns)
    job = BatchPrediction(
        model,
        places,
        reader,
        cast(ShardFormat, options.format),
        make_shard_writer(options.format, tuple(columns), alignments=options.alignments),
        _describe(model, task, options, texts),
        size,
        fraction,
    )
    with BuildProgress(Console(stderr=True)) as progress:
        return job.run(output, runner, progress)


def _describe(
    model: str, task: Task[Any], options: argparse.Namespace, texts: Mapping[str, Any]
) -> dict[str, Any]:
    """The part of the summary that describes the command."""
    return {
        "task": task.name,
        "model": model,
        "input": options.input,
        "inputs": {name: str(text) for name, text in sorted(texts.items())},
        "format": options.format,
    }


def _read_fraction(text: str) -> float:
    try:
        if 0 <= (value := float(text)) <= 1:
            return value
    except ValueError:
        pass
    raise ValueError("a number from 0 to 1")


def _find_output(place: str) -> Path:
    path = _find_path("--output", place)
    check_new_folder(path, f"--output {place}")
    return path


def _report(output: str, summary: Mapping[str, Any]) -> None:
    dead = summary["read"] - summary["predicted"]
    make_console().print(
        f"{output}: {summary['read']:,} rows read, {summary['predicted']:,} predicted, "
        f"{dead:,} dead letters, {len(summary['shards']):,} files"
    )
    for count, text in (
        (summary["blank"], "lines are blank and have no answer"),
        (summary["with_notes"], "rows have notes: inputs that are not read as a whole"),
    ):
        if count:
            write_notice(f"{count:,} {text}")
    for step, count in summary["dead_letters"].items():
        write_error(f"{count:,} x {step}: {summary['dead_letter_reasons'][step]}")
