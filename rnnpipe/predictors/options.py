"""The options that all forms of `rnnpipe predict` share: inputs, and how they are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from rnnpipe.predictors.rows import InputFormat, RowReader
from rnnpipe.tasks.inputs import parse_inputs

if TYPE_CHECKING:
    from rnnpipe.tasks.base import Task

N_BEST = "n-best"
"""The input that says how many answers a row has."""


def parse_options(
    prog: str,
    task: Task[Any],
    words: Sequence[str],
    add_options: Callable[[argparse.ArgumentParser], None],
    epilog: str = "",
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """The options of a command, and the inputs of the task as written, by name.

    Args:
        prog: the command, for messages.
        task: the task, whose inputs are options too.
        words: the arguments.
        add_options: adds the options beside inputs.
        epilog: what the help ends with.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=f"Predicts with a trained model of the task {task.name}.",
        epilog=epilog,
        allow_abbrev=False,
    )
    _add_inputs(parser.add_argument_group("inputs"), task)
    names = {declared.name for declared in task.inputs}
    add_options(parser)
    known, unknown = parser.parse_known_args(words)
    values = vars(known)
    texts = {name: values.pop(name) for name in names & values.keys()}
    # The task refuses unknown inputs, together with all other mistakes.
    others = [word.removeprefix("--").partition("=")[0] for word in unknown if word[:2] == "--"]
    if unknown and not others:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return argparse.Namespace(**values), {**texts, **dict.fromkeys(others, "")}


def _add_inputs(group: Any, task: Task[Any]) -> None:
    for declared in task.inputs:
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


def add_input_options(group: Any) -> None:
    """Adds how files of inputs are read."""
    forms = get_args(InputFormat)
    group.add_argument("--input-format", choices=forms, help="of --input (default: by its name)")
    group.add_argument("--encoding", default="utf-8", help="of --input (default: utf-8)")


def make_reader(
    task: Task[Any],
    texts: Mapping[str, Any],
    options: argparse.Namespace,
    form: str,
    folder: str = "",
) -> RowReader:
    """The reader of rows that the options describe.

    Args:
        task: the task.
        texts: the inputs that are the same for all rows, as written.
        options: with those of `add_input_options`.
        form: the format of the predictions.
        folder: of relative paths in rows; by default the one in which the process works.

    Raises:
        UserError: an input for all rows is unknown or malformed.
    """
    declared = [
        each if each.name in texts or not each.required else replace(each, default=None)
        for each in task.inputs
    ]
    parse_inputs(task.name, declared, texts)
    # All but the likeliest would be searched for in vain.
    has_many = any(each.name == N_BEST for each in task.inputs)
    defaults = {N_BEST: "1"} if has_many and form not in ("jsonl", "parquet") else {}
    return RowReader(
        task.name, task.inputs, texts, defaults, options.input_format, options.encoding, folder
    )
