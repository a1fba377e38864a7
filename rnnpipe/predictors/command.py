"""The command `rnnpipe predict`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from rnnpipe.errors import UserError
from rnnpipe.output import write_notice
from rnnpipe.predictors.formats import OutputFormat, format_of, make_writer
from rnnpipe.predictors.input_row import InputRow, RowSource
from rnnpipe.predictors.job import write_file, write_out
from rnnpipe.predictors.output import ResumableOutput
from rnnpipe.predictors.rows import InputFormat, RowReader
from rnnpipe.runs.console import make_console
from rnnpipe.runs.print_prediction import print_prediction, write_pieces
from rnnpipe.storage.paths import local_path

if TYPE_CHECKING:
    from rnnpipe.runs.export import Export
    from rnnpipe.runs.run import Run
    from rnnpipe.tasks.base import Task

_N_BEST = "n-best"


def predict(run: Run | Export, run_argument: Path, words: Sequence[str]) -> int:
    """Predicts with a trained run, and prints or writes the predictions.

    Args:
        run: the run, or an export of one.
        run_argument: how the command names it.
        words: the further arguments.

    Returns:
        The exit code: 1 if some rows have no prediction.

    Raises:
        UserError: the options contradict each other, or an input or file cannot be read.
    """
    options, texts = parse_options(run_argument, run.task, words)
    if run.path != run_argument:
        write_notice(f"predicting with {run.path}")
    if options.input is None and options.output is None and options.format is None:
        _predict_one(run, options, texts)
        return 0
    return _predict_many(run, options, texts)


def parse_options(
    run: Path, task: Task[Any], words: Sequence[str]
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """The options of the command, and the inputs of the task as written, by name."""
    parser = argparse.ArgumentParser(
        prog=f"rnnpipe predict {run}",
        description=f"Predicts with a trained model of the task {task.name}.",
        allow_abbrev=False,
    )
    inputs = parser.add_argument_group("inputs")
    for declared in task.inputs:
        option, missing = f"--{declared.name}", argparse.SUPPRESS
        if declared.type is bool:
            inputs.add_argument(
                option,
                dest=f"{declared.name}",
                action="store_true",
                default=missing,
                help=declared.help,
            )
            continue
        default = "" if declared.required or not declared.default else declared.default
        text = f"{declared.help} (default: {default})" if default else declared.help
        inputs.add_argument(
            option, dest=declared.name, metavar=declared.metavar, default=missing, help=text
        )
    names = {declared.name for declared in task.inputs}
    _add_options(parser, task)
    known, unknown = parser.parse_known_args(words)
    values = vars(known)
    texts = {name: values.pop(name) for name in names & values.keys()}
    # The task refuses unknown inputs, together with all other mistakes.
    others = [word.removeprefix("--").partition("=")[0] for word in unknown if word[:2] == "--"]
    if unknown and not others:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return argparse.Namespace(**values), {**texts, **dict.fromkeys(others, "")}


def _add_options(parser: argparse.ArgumentParser, task: Task[Any]) -> None:
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
    forms = get_args(InputFormat)
    many.add_argument("--input-format", choices=forms, help="of --input (default: by its name)")
    many.add_argument("--encoding", default="utf-8", help="of --input (default: utf-8)")
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
    has_lists = str(texts.get(_N_BEST, 1)).strip() != "1"
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
    # All but the likeliest would be searched for in vain.
    has_many = any(declared.name == _N_BEST for declared in task.inputs)
    defaults = {_N_BEST: "1"} if has_many and form != "jsonl" else {}
    reader = RowReader(
        task.name, task.inputs, texts, defaults, options.input_format, options.encoding
    )
    return reader.open(options.input)
