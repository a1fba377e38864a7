"""The command `rnnpipe predict`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from rnnpipe.errors import UserError
from rnnpipe.output import write_notice
from rnnpipe.predictors.formats import OutputFormat, format_of, make_writer
from rnnpipe.predictors.input_row import InputRow, RowSource
from rnnpipe.predictors.job import write_file, write_out
from rnnpipe.predictors.options import N_BEST, add_input_options, make_reader, parse_options
from rnnpipe.predictors.output import ResumableOutput
from rnnpipe.requirements import requiring
from rnnpipe.runs.console import make_console
from rnnpipe.runs.load import load_model
from rnnpipe.runs.print_prediction import print_prediction, write_pieces
from rnnpipe.storage.paths import local_path

if TYPE_CHECKING:
    from rnnpipe.runs.export import Export
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
    run_argument = local_path("RUN", model)
    run = load_model(run_argument)
    options, texts = parse_options(
        f"rnnpipe predict {run_argument}", run.task, words, partial(_add_options, run.task), _JOBS
    )
    if run.path != run_argument:
        write_notice(f"predicting with {run.path}")
    with requiring(*run.extras, where="rnnpipe predict"):
        if options.input is None and options.output is None and options.format is None:
            _predict_one(run, options, texts)
            return 0
        return _predict_many(run, options, texts)


def _add_options(task: Task[Any], parser: argparse.ArgumentParser) -> None:
    single = parser.add_argument_group("a single row")
    if task.draws:
        help_text = "the file of the picture (default: in the run; none of an export)"
        single.add_argument("--picture", metavar="FILE", help=help_text)
    if task.streams:
        help_text = "print the answer piece by piece, each as soon as it is known"
        single.add_argument("--stream", action="store_true", help=help_text)
    many = parser.add_argument_group("many rows")
    many.add_argument(
        "--input",
        metavar="INPUT",
        help="a text with an input in each line, a table (.csv, .tsv, .jsonl) with a column for "
        "each input, a folder of files, or - for the standard input; inputs that are given as "
        "options are the same for all rows",
    )
    many.add_argument(
        "--output",
        metavar="FILE",
        help="a new file of the predictions (default: the standard output); an interrupted command "
        "goes on where it was if it is run again",
    )
    forms = get_args(OutputFormat)
    many.add_argument("--format", choices=forms, help="of the predictions (default: by --output)")
    add_input_options(many)
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


def _predict_many(run: Run | Export, options: argparse.Namespace, texts: Mapping[str, Any]) -> int:
    for name in ("picture", "stream"):
        if getattr(options, name, None):
            expected, fix = "a single row without --format", "leave one of them out"
            raise UserError(f"--{name}", expected, "many rows, or a format", fix)
    output = None if options.output is None else local_path("--output", options.output)
    form = options.format or ("text" if output is None else format_of(output))
    if options.input is None:
        run.predictor.encode(run.predictor.parse(texts))  # a mistake of the command, not of a row
    source = _open_source(run.task, options, texts, form)
    has_lists = str(texts.get(N_BEST, 1)).strip() != "1"
    writer = make_writer(form, source.columns, n_best=has_lists, alignments=options.alignments)
    for notice in source.notices:
        write_notice(notice)
    if output is None:
        return int(write_out(run.predictor, source, writer) > 0)
    job = {
        "run": str(run.path.absolute()),
        "input": options.input,
        "inputs": {name: str(text) for name, text in sorted(texts.items())},
        "format": form,
        "alignments": options.alignments,
    }
    return int(write_file(run.predictor, source, writer, ResumableOutput(output, job)) > 0)


def _open_source(
    task: Task[Any], options: argparse.Namespace, texts: Mapping[str, Any], form: str
) -> RowSource:
    if options.input is None:
        row = InputRow("the options", texts, texts)
        return RowSource([declared.name for declared in task.inputs], [row], 1)
    return make_reader(task, texts, options, form).open(options.input)
