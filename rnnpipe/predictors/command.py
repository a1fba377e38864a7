"""The command `rnnpipe predict`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.output import write_notice
from rnnpipe.predictors.formats import make_writer
from rnnpipe.predictors.job import write_rows
from rnnpipe.predictors.options import (
    N_BEST,
    add_row_options,
    add_setting_option,
    describe_job,
    describe_prediction,
    find_output,
    open_source,
    parse_options,
    split_settings,
)
from rnnpipe.requirements import requiring
from rnnpipe.runs.console import make_console
from rnnpipe.runs.export import Export
from rnnpipe.runs.load import load_model
from rnnpipe.runs.print_prediction import print_prediction, write_pieces
from rnnpipe.storage.paths import local_path

if TYPE_CHECKING:
    from rnnpipe.runs.run import Run
    from rnnpipe.tasks.base import Task

_WORKERS = "--workers"
_JOBS = (
    "With --workers N, or Beam's own options after `--`, many rows are predicted by a Beam job, "
    "into a folder: `rnnpipe predict RUN --workers 1 --help` lists its options."
)


def predict(model: str, words: Sequence[str], beam_args: Sequence[str] = ()) -> int:
    """Predicts with a trained run, and prints or writes the predictions.

    Args:
        model: the folder of the run, or of an export of one, as the command names it.
        words: the further arguments.
        beam_args: Beam's own options; with them, or with `--workers`, it is a job.

    Returns:
        The exit code: 1 if some rows have no prediction.

    Raises:
        UserError: the options contradict each other, or an input or file cannot be read.
    """
    if beam_args or any(word.partition("=")[0] == _WORKERS for word in words):
        from rnnpipe.predictors.beam.command import predict_in_job

        return predict_in_job(model, words, beam_args)
    run_argument, (overrides, words) = local_path("RUN", model), split_settings(words)
    run = _load(run_argument, overrides)
    options, texts = parse_options(
        f"rnnpipe predict {run_argument}",
        describe_prediction(run.task.name),
        run.task.inputs,
        words,
        partial(_add_options, run.task),
        _JOBS,
    )
    if run.path != run_argument:
        write_notice(f"predicting with {run.path}")
    with requiring(*run.extras, where="rnnpipe predict"):
        if options.input is None and options.output is None and options.format is None:
            _predict_one(run, options, texts)
            return 0
        return _predict_many(run, options, texts, overrides)


def _load(folder: Path, overrides: Sequence[str]) -> Run | Export:
    run = load_model(folder)
    if not overrides:
        return run
    if isinstance(run, Export):
        expected = "a run: the search of an export is part of its graph"
        raise UserError("--set", expected, "an export", "leave it out, or name the run")
    return run.with_settings(overrides)


def _add_options(task: Task[Any], parser: argparse.ArgumentParser) -> None:
    single = parser.add_argument_group("a single row")
    if task.draws:
        help_text = "the file of the picture (default: in the run; none of an export)"
        single.add_argument("--picture", metavar="FILE", help=help_text)
    if task.streams:
        help_text = "print the answer piece by piece, each as soon as it is known"
        single.add_argument("--stream", action="store_true", help=help_text)
    add_setting_option(parser.add_argument_group("settings"))
    many = parser.add_argument_group("many rows")
    add_row_options(many, results="predictions")
    help_text = "write the attention weights too, as JSON"
    many.add_argument("--alignments", action="store_true", help=help_text)


def _predict_one(run: Run | Export, options: argparse.Namespace, texts: Mapping[str, Any]) -> None:
    picture = getattr(options, "picture", None)
    path = run.picture if picture is None else local_path("--picture", picture)
    # What has no picture is a text, which is worth reading while it is written.
    streams = run.task.streams and (options.stream or not run.task.draws)
    if streams and picture is not None:
        expected, fix = "no --stream, which has no picture", "leave one of them out"
        raise UserError("--picture", expected, "both", fix)
    if streams:
        write_pieces(run.predictor.stream(texts))
    else:
        print_prediction(run.predictor.predict_one(texts), path, make_console())


def _predict_many(
    run: Run | Export,
    options: argparse.Namespace,
    texts: Mapping[str, Any],
    overrides: Sequence[str],
) -> int:
    for name in ("picture", "stream"):
        if getattr(options, name, None):
            expected, fix = "a single row without --format", "leave one of them out"
            raise UserError(f"--{name}", expected, "many rows, or a format", fix)
    output, form = find_output(options)
    source = open_source(run.predictor, texts, options, form)
    has_lists = str(texts.get(N_BEST, 1)).strip() != "1"
    writer = make_writer(form, source.columns, n_best=has_lists, alignments=options.alignments)
    further: dict[str, Any] = {"alignments": options.alignments}
    if overrides:
        further["settings"] = sorted(overrides)
    job = describe_job(run.path, options, texts, form, **further)
    return int(write_rows(run.predictor, source, writer, output, job) > 0)
