"""The mean of the weights of several good epochs."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import keras
import numpy as np

from rnnpipe.training.best_weights import Checkpoint, save_weights


class _Epoch(NamedTuple):
    value: float
    number: int
    weights: list[np.ndarray]


class AverageBestEpochs(keras.callbacks.Callback):
    """Averages the weights of the best epochs, and keeps the mean where it is better than the best.

        w = 1/k Σₑ wₑ     over the k best epochs e

    Late in training, epochs lie around a good place rather than in it; their mean lies in it, as an
    ensemble of them would, at the cost of one model.

    Args:
        count: k, how many epochs at most; their weights are held in memory.
        monitor: the quantity in the logs by which epochs are compared.
        mode: whether less or more of it is better.
        score: that quantity for the model as it is.
        weights: the file of the best epoch's weights, which those of the mean replace; their
            numbers are written to `averaged.json` beside it.

    Source: Vaswani et al., Attention Is All You Need, 2017, section 6.1; Junczys-Dowmunt, Dwojak
    and Sennrich, The AMU-UEDIN Submission to the WMT16 News Translation Task, 2016, section 3.
    """

    def __init__(
        self,
        count: int,
        *,
        monitor: str,
        mode: Literal["min", "max"],
        score: Callable[[], float],
        weights: Path,
    ) -> None:
        super().__init__()
        self._count, self._monitor = count, monitor
        self._sign = 1 if mode == "max" else -1
        self._score, self._weights = score, weights
        self._best: list[_Epoch] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Holds the weights if the epoch is among the best, and its loss is finite."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            return
        value = self._sign * float((logs or {})[self._monitor])
        if len(self._best) < self._count or value > self._best[-1].value:
            self._best.append(_Epoch(value, epoch + 1, self.model.get_weights()))
            self._best.sort(key=lambda held: -held.value)
            del self._best[self._count :]

    def get_arrays(self) -> dict[str, np.ndarray]:
        """The epochs held, for a training that may be interrupted."""
        weights = {
            f"weights/{place}/{number}": array
            for place, epoch in enumerate(self._best)
            for number, array in enumerate(epoch.weights)
        }
        return {
            "values": np.array([epoch.value for epoch in self._best]),
            "numbers": np.array([epoch.number for epoch in self._best], "int64"),
            **weights,
        }

    def set_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes what `get_arrays` gave."""
        self._best = [
            _Epoch(
                float(value),
                int(number),
                [arrays[f"weights/{place}/{n}"] for n in range(len(self.model.weights))],
            )
            for place, (value, number) in enumerate(
                zip(arrays["values"], arrays["numbers"], strict=True)
            )
        ]

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Tries the mean."""
        if len(self._best) < 2:
            return
        self.model.set_weights(
            [np.mean(each, axis=0) for each in zip(*(e.weights for e in self._best), strict=True)]
        )
        value = self._score()
        if self._sign * value > self._best[0].value:
            epochs = sorted(epoch.number for epoch in self._best)
            of = self.params["epochs"]
            checkpoint = Checkpoint(tuple(epochs), of, self._monitor, value)
            save_weights(self.model, self._weights, checkpoint)
            content = {"epochs": epochs, self._monitor: value}
            self._weights.with_name("averaged.json").write_text(
                json.dumps(content) + "\n", encoding="utf-8"
            )
