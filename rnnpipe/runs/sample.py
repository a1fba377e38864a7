"""Calls of a run's network, by which an export of it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.exports.check import Call, Recorder
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.network import Array, Arrays, Graph, Network, find_graph
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.text_graph import TEXT_FUNCTION

_BATCHES = 3
_TEXTS = 32  # of a batch
_STEPS = 64  # of a stream
_MADE_UP = 8  # rows


def record_calls(
    task: Task[Any],
    network: Network,
    vocabulary: Path,
    records: RecordsDirectory | None,
    batches: int | None = _BATCHES,
) -> list[Call]:
    """Calls of a run's network with records of its test split.

    Where there are none that it reads, because they are gone or are no prompts, the inputs are made
    up. So are the streams of videos.

    Args:
        task: the task.
        network: of the run.
        vocabulary: the folder of `Task.save_vocabulary`.
        records: those of the run; None if they are gone.
        batches: of records, at most; None: all. Of streams there are a few steps.
    """
    recorder = Recorder(network)
    predictor = task.make_predictor(vocabulary, recorder)
    graph = find_graph(network[predictor.function])
    if records is not None and graph is not None:
        for arrays in islice(_read_arrays(task, records, graph), batches):
            recorder[predictor.function](arrays)
    if records is not None and TEXT_FUNCTION in network:
        for arrays in _read_texts(task, records):
            recorder[TEXT_FUNCTION](arrays)
    if records is not None and find_graph(network.get("step")) is not None:
        streams = task.read_streams(recorder["step"], records, pick_split(records))
        for _ in islice(streams, _STEPS):
            pass
    recorder.made_up = True
    if records is None and TEXT_FUNCTION in network:
        recorder[TEXT_FUNCTION]({"text": np.array([task.inputs[0].help], object)})
    random = np.random.default_rng(1)
    examples = [each for _ in range(_MADE_UP) if (each := predictor.make_up(random)) is not None]
    if examples and not any(call.function == predictor.function for call in recorder.calls):
        predictor.compute(examples)
    if examples and find_graph(network.get("step")) is not None:
        _stream(predictor, examples[0])
    return recorder.calls


def make_score(
    task: Task[Any], records: RecordsDirectory | None
) -> Callable[[Network], Mapping[str, float]]:
    """How a network of the task is scored by the test split, see `Task.score`.

    Args:
        task: the task.
        records: those of the run; without them there are no scores.
    """
    if records is None:
        return lambda network: {}
    return partial(task.score, records=records, split=pick_split(records))


def _stream(predictor: Predictor, example: Any) -> None:
    for _ in predictor.stream_example(example):
        pass


def _read_arrays(task: Task[Any], records: RecordsDirectory, graph: Graph) -> Iterator[Arrays]:
    """The inputs of the test split in batches, unless the graph has other ones."""
    for batch in task.make_network_inputs(records, pick_split(records)):
        named = batch if isinstance(batch, Mapping) else {next(iter(graph.inputs)): batch}
        arrays = {name: np.asarray(named[name]) for name in graph.inputs if name in named}
        if not all(_fits(arrays.get(name), spec) for name, spec in graph.inputs.items()):
            return
        yield arrays


def _fits(array: Array | None, spec: Any) -> bool:
    """Whether an input has this array; integers may have another size."""
    if array is None or array.dtype.kind != np.dtype(spec.dtype.as_numpy_dtype).kind:
        return False
    return bool(spec.shape.is_compatible_with(array.shape))


def _read_texts(task: Task[Any], records: RecordsDirectory) -> Iterator[Arrays]:
    """The first texts of the test split as they were read, in batches."""
    rows = records.read(pick_split(records), [task.text_field])
    for _ in range(_BATCHES):
        if texts := [row[task.text_field] for row in islice(rows, _TEXTS)]:
            yield {"text": np.array(texts, object)}


def pick_split(records: RecordsDirectory) -> str:
    """The split whose records an export is checked with."""
    return "test" if "test" in records.splits else "validation"
