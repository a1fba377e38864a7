"""Scores of the decoded validation split, and callbacks that monitor them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import keras

from rnnpipe.training.averaging import AverageBestEpochs
from rnnpipe.training.decoded_scores import DecodedScores


class ValidationScores(ABC):
    """Scores of the validation split, of a model whose weights change.

    Args:
        trainer: the model, compiled.
        batches: of the validation split, for its loss and perplexity.
    """

    def __init__(self, trainer: keras.Model, batches: Any) -> None:
        self._trainer, self._batches = trainer, batches

    @abstractmethod
    def decode_scores(self) -> Mapping[str, float]:
        """The scores of decoded sequences."""

    def score(self, metric: str) -> float:
        """One score, of decoded sequences or under teacher forcing."""
        if metric in ("loss", "perplexity"):
            logs = self._trainer.evaluate(self._batches, verbose=0, return_dict=True)
            return float(logs[metric])
        return self.decode_scores()[metric]


def validation_callbacks(
    scores: ValidationScores,
    *,
    metric: str,
    average: int,
    mode: Literal["min", "max"],
    weights: Path,
) -> list[keras.callbacks.Callback]:
    """Callbacks that score decoded sequences after each epoch, and average the best epochs.

    Args:
        scores: of the validation split.
        metric: the monitored one.
        average: of how many epochs the weights are averaged; 1 for none.
        mode: whether less or more of the metric is better.
        weights: the file of the best weights.
    """
    callbacks: list[keras.callbacks.Callback] = [DecodedScores(scores.decode_scores)]
    if average > 1:
        callbacks.append(
            AverageBestEpochs(
                average,
                monitor=f"val_{metric}",
                mode=mode,
                score=lambda: scores.score(metric),
                weights=weights,
            )
        )
    return callbacks
