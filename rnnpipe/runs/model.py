"""The model of a run: the trained one, or the best so far of a training that has not ended."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import keras

import rnnpipe.layers  # noqa: F401  registers the layers, by which Keras finds them again
from rnnpipe.errors import UserError
from rnnpipe.runs.directory import BEST_WEIGHTS, RunDirectory, no_epoch_done
from rnnpipe.storage.seal import sealed_path
from rnnpipe.tasks.base import Task
from rnnpipe.training.best_weights import Checkpoint, load_weights
from rnnpipe.training.precision import save_in_full_precision


@dataclass(frozen=True, slots=True)
class PartialTraining:
    """Where a training was that has not ended when its best weights were read.

    Args:
        members: the epochs of the model, or of each member of an ensemble that has weights.
        size: how many members there will be.
        phase: the further phase of training that it is in, and the epoch of that.
    """

    members: Sequence[Checkpoint]
    size: int = 1
    phase: tuple[str, Checkpoint] | None = None

    def __str__(self) -> str:
        if self.phase is not None:
            name, checkpoint = self.phase
            return f"{name.replace('_', ' ')}, {checkpoint}"
        if self.size == 1:
            return str(self.members[0])
        return "; ".join(
            f"member {number} of {self.size}, {checkpoint}"
            for number, checkpoint in enumerate(self.members, start=1)
        )

    @property
    def notice(self) -> str:
        """What users read wherever these weights are used."""
        return f"the training has not ended: the weights are the best so far ({self})"

    @property
    def best_epoch(self) -> int | None:
        """The last epoch of the first training whose weights are these, from 1."""
        return max(self.members[0].epochs, default=None)

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        members = list(map(_to_json, self.members))
        phase = {"name": self.phase[0], **_to_json(self.phase[1])} if self.phase else None
        return {"members": members, "size": self.size, "phase": phase}


def _to_json(checkpoint: Checkpoint) -> dict[str, Any]:
    return {**asdict(checkpoint), "epochs": list(checkpoint.epochs)}


@dataclass(frozen=True, slots=True)
class RunModel:
    """The model of a run.

    Args:
        model: it, ready to answer.
        partial: where its training was; None if that has ended.
    """

    model: keras.Model
    partial: PartialTraining | None


def save_model(model: keras.Model, path: Path) -> None:
    """Writes a model, wholly or not at all, and seals it.

    It computes in float32 when it is loaded, whatever precision it was trained in.
    """
    with sealed_path(path) as unfinished:
        save_in_full_precision(model, unfinished)


def load_model(run: RunDirectory, task: Task) -> RunModel:
    """The trained model of a run, or, where its training has not ended, the best so far.

    Nothing is locked and nothing written, so that another process may train the run meanwhile.

    Args:
        run: its folder.
        task: its task.

    Raises:
        UserError: there are no weights yet, or a file is damaged.
    """
    if not run.seal.expects(run.model):
        try:
            return _load_partial(run, task)
        except UserError:
            if not run.seal.expects(run.model):
                raise
            # The training has ended just now.
    return RunModel(_load(run, run.model), None)


def load_ensemble(runs: Sequence[RunDirectory], task: Task) -> RunModel:
    """The models of several runs, joined as their task does; of a single run its own."""
    own, *members = [load_model(run, task) for run in runs]
    if not members:
        return own
    return replace(own, model=task.join([own.model, *(member.model for member in members)]))


def load_baselines(run: RunDirectory) -> dict[str, keras.Model]:
    """The trained models that the run's own is compared with, by name."""
    paths = run.seal.find("checkpoints/baselines/*.keras")
    return {path.stem: _load(run, path) for path in paths}


def _load(run: RunDirectory, path: Path) -> keras.Model:
    try:
        return keras.models.load_model(run.seal.check(path), compile=False)
    except UserError:
        raise
    except Exception as error:  # Keras and layers raise all kinds
        got = f"an error ({str(error).strip().partition(chr(10))[0]})"
        fix = "use the versions in environment.json, and install what its layers come from"
        raise UserError(str(path), "a model that can be loaded here", got, fix) from error


def _load_partial(run: RunDirectory, task: Task) -> RunModel:
    models, checkpoints = [], []
    for path in _find_members(run):
        model = _load(run, run.untrained)
        checkpoints.append(_load_trainer(task.wrap_model(model), path))
        models.append(model)
    if not models:
        raise no_epoch_done(run)
    model = models[0] if len(models) == 1 else task.join(models)
    phase = None
    if weights := _find_phase(run):
        phase = weights.parent.name, load_weights(_PhaseWeights(model), weights)
    return RunModel(model, PartialTraining(checkpoints, task.ensemble_size, phase))


class _PhaseWeights(keras.Model):
    """What all trainers of phases have in common: the attribute `model`."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.model = model
        self.built = True


def _find_members(run: RunDirectory) -> Iterator[Path]:
    """The weights of the model, or of each member that has some."""
    further = (run.members / str(number) / BEST_WEIGHTS for number in count(2))
    path = run.weights
    while run.seal.expects(path):
        yield path
        path = next(further)


def _find_phase(run: RunDirectory) -> Path | None:
    """The weights of the phase that was begun last."""
    paths = map(run.seal.check, run.seal.find(f"checkpoints/phases/*/{BEST_WEIGHTS}"))
    return max(paths, key=lambda path: path.stat().st_mtime_ns, default=None)


def _load_trainer(trainer: keras.Model, path: Path) -> Checkpoint:
    if not trainer.built:
        trainer.build()
    return load_weights(trainer, path)
