"""Scores of what a model decodes, after every epoch."""

from collections.abc import Callable, Mapping
from typing import Any

import keras


class DecodedScores(keras.callbacks.Callback):
    """Adds scores of decoded validation data to the logs of every epoch.

    The loss of single steps is only loosely tied to the quality of whole sequences; with this
    callback before it, a checkpoint can monitor the quality.

    Args:
        score: decodes with the model as it is and returns scores by name.

    Example:
        >>> logs = {}
        >>> DecodedScores(lambda: {"bleu": 31.5}).on_epoch_end(0, logs)
        >>> logs
        {'val_bleu': 31.5}
    """

    def __init__(self, score: Callable[[], Mapping[str, float]]) -> None:
        super().__init__()
        self._score = score

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds `val_<name>` for each score; callbacks after this one see it."""
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in self._score().items()})
