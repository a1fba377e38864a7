"""A trained model in a worker of Beam."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from apache_beam.ml.inference.base import ModelHandler

from rnnpipe.predictors.batch import predict_rows
from rnnpipe.predictors.beam.shards import Shard
from rnnpipe.predictors.input_row import InputRow, RowSource
from rnnpipe.runs.load import load_model
from rnnpipe.storage.paths import as_path, local_copy
from rnnpipe.tasks.prediction import Prediction
from rnnpipe.tasks.predictor import Predictor, Result

# Workers share the cores: threads of one would wait for those of others.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class ShardRows:
    """The rows of a shard, as they were read."""

    shard: Shard
    rows: Sequence[InputRow]


@dataclass(frozen=True, slots=True)
class ShardResults:
    """The predictions or errors of a shard's rows, in their order."""

    shard: Shard
    results: Sequence[tuple[InputRow, Result]]


class PredictorHandler(ModelHandler[ShardRows, ShardResults, Predictor]):
    """Loads a run or an export, and predicts the rows of shards with it.

    An example of `RunInference` is a whole shard. So the batches that go through the network, of
    rows of similar lengths, are made of the rows of one shard, whatever bundles the runner makes,
    and a row has the same prediction to the last bit.

    Args:
        model: the folder of a run or an export, on a file system that workers see or in an object
            store.
    """

    def __init__(self, model: str) -> None:
        super().__init__(min_batch_size=1, max_batch_size=1)
        self._model = model

    def load_model(self) -> Predictor:
        """The predictor, which computes in one thread."""
        with local_copy(as_path(self._model)) as folder, _one_thread():
            return load_model(folder).predictor

    def run_inference(
        self,
        batch: Sequence[ShardRows],
        model: Predictor,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[ShardResults]:
        """The predictions of each shard; rows that cannot be predicted have an error."""
        del inference_args
        for each in batch:
            results = predict_rows(model, RowSource([], each.rows), each.rows)
            yield ShardResults(each.shard, [(row, _without_picture(r)) for row, r in results])

    def get_metrics_namespace(self) -> str:
        """That of all our counters."""
        return "rnnpipe"


def _without_picture(result: Result) -> Result:
    """What draws the picture holds the input, such as the pixels of an image."""
    return replace(result, draw=None) if isinstance(result, Prediction) else result


@contextmanager
def _one_thread() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
