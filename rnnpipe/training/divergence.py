"""Losses that are not finite: in which step, of which records, and how a training goes on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from rnnpipe.errors import UserError
from rnnpipe.training.best_weights import Checkpoint

_SHOWN = 5  # records, and losses of epochs


@dataclass(frozen=True, slots=True)
class Divergence:
    """A step whose loss is not finite.

    Args:
        epoch: its number, from 1.
        step: its number in the epoch, from 1.
        loss: NaN or an infinity.
        losses: the means of the epochs before, then that of the steps before in its epoch.

    Example:
        >>> str(Divergence(3, 1204, math.inf, (0.69, 0.51, 0.44)))
        'infinity in step 1,204 of epoch 3'
    """

    epoch: int
    step: int
    loss: float
    losses: tuple[float, ...] = ()

    def __str__(self) -> str:
        sign = "minus " if self.loss < 0 else ""
        name = "NaN" if math.isnan(self.loss) else f"{sign}infinity"
        return f"{name} in step {self.step:,} of epoch {self.epoch}"

    def describe(self, part: str, records: Sequence[str] = (), *notes: str) -> str:
        """Where it is and what was before, in one line.

        Args:
            part: what of a run is trained, e.g. `training` or `pretraining`.
            records: the ids of those in the batch, as far as they are known.
            *notes: what else is to be said.
        """
        said = []
        if self.losses:
            said.append(f"losses before it: {', '.join(f'{x:.4g}' for x in self.losses)}")
        if records:
            more = f" and {len(records) - _SHOWN:,} more" if len(records) > _SHOWN else ""
            said.append(f"records of its batch: {', '.join(records[:_SHOWN])}{more}")
        said.extend(notes)
        return f"{self} of the {part} ({'; '.join(said)})" if said else f"{self} of the {part}"


class Diverged(UserError):
    """The loss became NaN or infinite.

    Args:
        found: the step; or the whole text.
        part: what of a run was trained.
        records: the ids of the records in the batch, as far as they are known.
        kept: the epoch whose weights the model has; None: there was none before.
    """

    def __init__(
        self,
        found: Divergence | str,
        part: str = "training",
        records: Sequence[str] = (),
        kept: Checkpoint | None = None,
    ) -> None:
        if isinstance(found, str):
            super().__init__(found)
        else:
            got = found.describe(part, records, f"weights kept: {kept or 'none'}")
            fix = "lower learning_rate or clip_norm"
            super().__init__("train.optimizer", "a finite loss", got, fix)
        self.found, self.kept = found, kept


class RolledBack(Exception):
    """A training has gone back to its last good state, from which it is to be resumed."""


class StepDiverged(Exception):
    """Leaves an epoch at once, whose training is to go back."""


class StopAtDivergence(keras.callbacks.Callback):
    """Ends a training with the step whose loss is not finite, and notes which one it is.

    Args:
        losses: those of the epochs that are done, which grow.
        at_once: whether it raises `StepDiverged`, so that there is no end of the epoch.
    """

    def __init__(self, losses: Sequence[dict[str, float]], *, at_once: bool = False) -> None:
        super().__init__()
        self._losses, self._at_once = losses, at_once
        self._epoch, self._before = 0, math.nan
        self.found: Divergence | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes which epoch it is."""
        self._epoch, self._before = epoch + 1, math.nan

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the mean of the losses of the epoch so far, which such a loss makes NaN too."""
        loss = (logs or {}).get("loss", 0.0)
        if math.isfinite(loss):
            self._before = loss
        elif self.found is None:
            losses = [logs["loss"] for logs in self._losses[-_SHOWN:]]
            losses += [self._before] if batch else []
            self.found = Divergence(self._epoch, batch + 1, float(loss), tuple(losses))
            self.model.stop_training = True
            if self._at_once:
                raise StepDiverged


class IgnoreDivergedEpoch(keras.callbacks.Callback):
    """Takes the score from an epoch whose loss is not finite, so that no weights are kept for it.

    The labels that NaN gives may be right by chance more often than those of any epoch before.

    Args:
        monitor: the quantity by which weights are kept.
    """

    def __init__(self, monitor: str) -> None:
        super().__init__()
        self._monitor = monitor

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Replaces the score by NaN, which is never the best."""
        if logs is not None and not math.isfinite(logs["loss"]):
            logs[self._monitor] = math.nan


class RollbackLog(keras.callbacks.Callback):
    """Adds to the logs of every epoch how often the training has gone back.

    Args:
        count: how often.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds `rollbacks`; callbacks after this one see it."""
        if logs is not None:
            logs["rollbacks"] = float(self._count)
