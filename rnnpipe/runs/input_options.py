"""The inputs of `predict` as options of a command line."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnpipe.storage.paths import local_path
from rnnpipe.tasks.base import Task


def parse_inputs(
    arguments: Sequence[str], task: Task[Any], run: Path
) -> tuple[dict[str, Any], Path | None]:
    """The inputs of `predict` as they are written, by name, and the file of the picture.

    Args:
        arguments: the command line behind the run.
        task: the task of the run, which declares the inputs.
        run: the run's folder as it is written, for the usage line.

    Returns:
        The inputs, unknown ones too, and the file; None: that in the run.
    """
    parser = argparse.ArgumentParser(
        prog=f"rnnpipe predict {run}",
        description=f"Predicts with a trained model of the task {task.name}.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for declared in task.inputs:
        option = f"--{declared.name}"
        if declared.type is bool:
            parser.add_argument(option, dest=declared.name, action="store_true", help=declared.help)
            continue
        default = "" if declared.required or not declared.default else declared.default
        text = f"{declared.help} (default: {default})" if default else declared.help
        parser.add_argument(option, dest=declared.name, metavar=declared.metavar, help=text)
    if task.draws:
        help_text = "the file of the picture (default: in the run)"
        parser.add_argument("--picture", default=None, metavar="FILE", help=help_text)
    known, unknown = parser.parse_known_args(arguments)
    texts = vars(known)
    picture = texts.pop("picture", None)
    # The task refuses unknown inputs, together with all other mistakes.
    names = [word.removeprefix("--").partition("=")[0] for word in unknown if word.startswith("--")]
    if unknown and not names:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    file = None if picture is None else local_path("--picture", picture)
    return {**texts, **dict.fromkeys(names, "")}, file
