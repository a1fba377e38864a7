"""Calls of a run's network, by which an export of it is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from rnnpipe.exports.check import Call, Recorder
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.network import Arrays, Network, find_graph

_BATCHES = 3


def record_calls(
    task: Task[Any], network: Network, vocabulary: Any, records: RecordsDirectory | None
) -> list[Call]:
    """Calls of a run's network with records of its test split, or with made-up prompts.

    Args:
        task: the task.
        network: of the run.
        vocabulary: the folder of `Task.save_vocabulary`.
        records: those of the run; None if they are gone.
    """
    recorder = Recorder(network)
    if "draw" in network:
        predictor = task.make_predictor(vocabulary, recorder)
        list(predictor.predict({"prompt": "", "seed": seed, "length": 20} for seed in range(4)))
    elif records is not None:
        for name, function in network.items():
            graph = find_graph(function) if name in ("call", "search") else None
            for arrays in _read_arrays(task, records, tuple(graph.inputs)) if graph else ():
                recorder[name](arrays)
    return recorder.calls


def _read_arrays(
    task: Task[Any], records: RecordsDirectory, names: tuple[str, ...]
) -> Iterator[Arrays]:
    """The inputs of the first batches of the test split; the first also of one row less."""
    split = "test" if "test" in records.splits else "validation"
    for batch in islice(task.make_inputs(records, split), _BATCHES):
        named = batch if isinstance(batch, Mapping) else {names[0]: batch}
        yield {name: np.asarray(named[name]) for name in names}
