"""The options that `rnnpipe predict` and `rnnpipe score` share: inputs, and how they are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from rnnpipe.predictors.formats import OutputFormat, format_of
from rnnpipe.predictors.input_row import InputRow, RowSource
from rnnpipe.predictors.rows import InputFormat, RowReader
from rnnpipe.storage.paths import local_path
from rnnpipe.tasks.inputs import Input, parse_inputs
from rnnpipe.tasks.predictor import Predictor

N_BEST = "n-best"
"""The input that says how many answers a row has."""


def describe_prediction(task: str) -> str:
    """What `rnnpipe predict` does, for its help."""
    return f"Predicts with a trained model of the task {task}."


def parse_options(
    prog: str,
    description: str,
    inputs: Sequence[Input],
    words: Sequence[str],
    add_options: Callable[[argparse.ArgumentParser], None],
    epilog: str = "",
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """The options of a command, and the inputs as written, by name.

    Args:
        prog: the command, for messages.
        description: what it does.
        inputs: the declared ones, which are options too.
        words: the arguments.
        add_options: adds the options beside inputs.
        epilog: what the help ends with.
    """
    parser = argparse.ArgumentParser(
        prog=prog, description=description, epilog=epilog, allow_abbrev=False
    )
    _add_inputs(parser.add_argument_group("inputs"), inputs)
    names = {declared.name for declared in inputs}
    add_options(parser)
    known, unknown = parser.parse_known_args(words)
    values = vars(known)
    texts = {name: values.pop(name) for name in names & values.keys()}
    # The task refuses unknown inputs, together with all other mistakes.
    others = [word.removeprefix("--").partition("=")[0] for word in unknown if word[:2] == "--"]
    if unknown and not others:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return argparse.Namespace(**values), {**texts, **dict.fromkeys(others, "")}


def _add_inputs(group: Any, inputs: Sequence[Input]) -> None:
    for declared in inputs:
        option, missing = f"--{declared.name}", argparse.SUPPRESS
        if declared.type is bool:
            group.add_argument(
                option,
                dest=declared.name,
                action="store_true",
                default=missing,
                help=declared.help,
            )
            continue
        default = "" if declared.required or not declared.default else declared.default
        text = f"{declared.help} (default: {default})" if default else declared.help
        group.add_argument(
            option, dest=declared.name, metavar=declared.metavar, default=missing, help=text
        )


def split_settings(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The settings of a command, `--set KEY=VALUE`, and its other arguments.

    Example:
        >>> split_settings(["--text", "a", "--set", "evaluate.search.beam_width=9"])
        (['evaluate.search.beam_width=9'], ['--text', 'a'])
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_setting_option(parser)
    options, others = parser.parse_known_args(words)
    return options.overrides, others


def add_setting_option(group: Any) -> None:
    """Adds settings of `evaluate` that differ from those of the run."""
    group.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="set a key of evaluate, e.g. evaluate.search.beam_width=10; may be repeated",
    )


def add_row_options(group: Any, *, results: str) -> None:
    """Adds where many rows come from and where their results go.

    Args:
        group: of options.
        results: what is written of rows, e.g. `predictions`.
    """
    group.add_argument(
        "--input",
        metavar="INPUT",
        help="a text with an input in each line, a table (.csv, .tsv, .jsonl) with a column for "
        "each input, a folder of files, or - for the standard input; inputs that are given as "
        "options are the same for all rows",
    )
    group.add_argument(
        "--output",
        metavar="FILE",
        help=f"a new file of the {results} (default: the standard output); an interrupted command "
        "goes on where it was if it is run again",
    )
    forms = get_args(OutputFormat)
    help_text = f"of the {results} (default: by --output)"
    group.add_argument("--format", choices=forms, help=help_text)
    add_input_options(group)


def add_input_options(group: Any) -> None:
    """Adds how files of inputs are read."""
    forms = get_args(InputFormat)
    group.add_argument("--input-format", choices=forms, help="of --input (default: by its name)")
    group.add_argument("--encoding", default="utf-8", help="of --input (default: utf-8)")


def make_reader(
    task: str,
    inputs: Sequence[Input],
    texts: Mapping[str, Any],
    options: argparse.Namespace,
    form: str,
    folder: str = "",
) -> RowReader:
    """The reader of rows that the options describe.

    Args:
        task: its name, for messages.
        inputs: the declared ones.
        texts: the inputs that are the same for all rows, as written.
        options: with those of `add_input_options`.
        form: the format of the predictions.
        folder: of relative paths in rows; by default the one in which the process works.

    Raises:
        UserError: an input for all rows is unknown or malformed.
    """
    declared = [
        each if each.name in texts or not each.required else replace(each, default=None)
        for each in inputs
    ]
    parse_inputs(task, declared, texts)
    # All but the likeliest would be searched for in vain.
    has_many = any(each.name == N_BEST for each in inputs)
    defaults = {N_BEST: "1"} if has_many and form not in ("jsonl", "parquet") else {}
    return RowReader(task, inputs, texts, defaults, options.input_format, options.encoding, folder)


def open_source(
    predictor: Predictor, texts: Mapping[str, Any], options: argparse.Namespace, form: str
) -> RowSource:
    """The rows that the options describe: those of `--input`, or the one that they are.

    Args:
        predictor: what they are for.
        texts: the inputs that are options.
        options: with those of `add_row_options`.
        form: the format of the results.

    Raises:
        UserError: an input is missing, unknown or malformed.
    """
    declared = predictor.inputs
    if options.input is not None:
        reader = make_reader(predictor.task, declared, texts, options, form)
        return reader.open(options.input)
    predictor.encode(predictor.parse(texts))  # a mistake of the command, not of a row
    row = InputRow("the options", texts, texts)
    return RowSource([each.name for each in declared], [row], 1)


def find_output(options: argparse.Namespace) -> tuple[Path | None, str]:
    """The file of the results, None for the standard output, and their format.

    Args:
        options: with those of `add_row_options`.

    Raises:
        UserError: the name does not tell the format, or the path is in an object store.
    """
    output = None if options.output is None else local_path("--output", options.output)
    return output, options.format or ("text" if output is None else format_of(output))


def describe_job(
    run: Path, options: argparse.Namespace, texts: Mapping[str, Any], form: str, **further: Any
) -> dict[str, Any]:
    """What a file of results depends on beside its rows, see `ResumableOutput`.

    Args:
        run: the folder of the model.
        options: with those of `add_row_options`.
        texts: the inputs that are options.
        form: the format of the results.
        **further: more settings.
    """
    return {
        "run": str(run.absolute()),
        "input": options.input,
        "inputs": {name: str(text) for name, text in sorted(texts.items())},
        "format": form,
        **further,
    }
