"""The function of a network that predicts from strings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.quiet import quiet_import
from rnnpipe.requirements import require
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.network import Network
from rnnpipe.tasks.text_graph import TEXT_FUNCTION, TextFunction

_FLAG = "--text-in-graph"


def check_text_in_graph(task: Task[Any], format_name: str) -> None:
    """Refuses, before any long work, what cannot have the function `predict_text`.

    Args:
        task: the task.
        format_name: of the export.

    Raises:
        UserError: the format has no strings, the task does not read a text alone, or TensorFlow
            Text is not installed.
    """
    if format_name != "saved_model":
        fix = "choose that format, or leave it out"
        raise UserError(_FLAG, "--format saved_model", format_name, fix)
    if not task.text_field:
        raise UserError(_FLAG, "a task that reads a text alone", task.name, "leave it out")
    require("tensorflow-text", where=_FLAG)


def add_text_function(task: Task[Any], network: Network, vocabulary: Path) -> Network:
    """A network with the function `predict_text` too.

    Args:
        task: reads a text alone.
        network: of the run.
        vocabulary: the folder of `Task.save_vocabulary`.
    """
    with quiet_import():
        graph = task.make_text_graph(network, vocabulary)
    predictor = task.make_predictor(vocabulary, network)
    return {**network, TEXT_FUNCTION: TextFunction(predictor, graph)}
