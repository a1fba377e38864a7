"""The results of a task: what the stages of a run take from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnpipe.report.items import ReportItem

if TYPE_CHECKING:
    import keras  # takes seconds to import


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The results of an evaluation on one split.

    Args:
        scores: by metric; those of baselines are called `baseline/<name>/<metric>`.
        predictions: a row for each record, JSON values.
        report_items: what the report shows.
        files: more files for the run's folder, by name: e.g. results in another format.
        notices: printed on the terminal, e.g. which scores are missing and why.
    """

    scores: Mapping[str, float]
    predictions: Sequence[Mapping[str, Any]]
    report_items: Sequence[ReportItem] = field(default_factory=tuple)
    files: Mapping[str, str] = field(default_factory=dict)
    notices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Pretraining:
    """A training of a model's layers for something else, before the training of the model.

    Args:
        name: what it is, in words.
        model: another model with these layers, untrained.
        parts: the layers that the model takes over, by their paths.
        trainer: that other model, compiled.
        batches: of the training split.
        validation: of the validation split.
        monitor: the quantity by which epochs are compared; less of it is better.
        epochs: at most.
        patience: how many epochs without a better one end it.
        callbacks: run before the weights of an epoch are compared.
    """

    name: str
    model: keras.Model
    parts: Sequence[str]
    trainer: keras.Model
    batches: Any
    validation: Any
    monitor: str
    epochs: int
    patience: int
    callbacks: Sequence[keras.callbacks.Callback] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """A further phase of training, which continues from the weights of the one before.

    Args:
        name: of its files.
        trainer: the model, compiled anew.
        batches: of the training split.
        epochs: at most.
        patience: how many epochs without a better one end it.
        callbacks: run before the weights of an epoch are compared.
        score: the monitored quantity of the model with its present weights.
    """

    name: str
    trainer: keras.Model
    batches: Any
    epochs: int
    patience: int
    callbacks: Sequence[keras.callbacks.Callback]
    score: Callable[[], float]
