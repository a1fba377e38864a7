"""Calls of a run's network, by which an export of it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
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


def make_score(
    task: Task[Any], records: RecordsDirectory | None
) -> Callable[[Network], Mapping[str, float]]:
    """How a network of the task is scored by the test split, see `Task.score`.

    Args:
        task: the task.
        records: those of the run; without them there are no scores, nor where they hold the
            features of a backbone that is part of the network.
    """
    if records is None or getattr(task.config.data, "features", None) is not None:
        return lambda network: {}
    return partial(task.score, records=records, split=_pick_split(records))


def _read_arrays(
    task: Task[Any], records: RecordsDirectory, names: tuple[str, ...]
) -> Iterator[Arrays]:
    """The inputs of the first batches of the test split; the first also of one row less."""
    for batch in islice(task.make_inputs(records, _pick_split(records)), _BATCHES):
        named = batch if isinstance(batch, Mapping) else {names[0]: batch}
        yield {name: np.asarray(named[name]) for name in names}


def _pick_split(records: RecordsDirectory) -> str:
    return "test" if "test" in records.splits else "validation"
