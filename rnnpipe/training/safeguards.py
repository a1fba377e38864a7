"""What protects a training from interruptions and from losses that are not finite."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import keras

from rnnpipe.parts.checkpoints import CheckpointOptions
from rnnpipe.parts.rollback import RollbackOptions
from rnnpipe.parts.scaled_schedule import ScaledSchedule, find_schedule
from rnnpipe.training.divergence import Divergence, RollbackLog, RolledBack
from rnnpipe.training.state import TrainingState


@dataclass(frozen=True)
class Safeguards:
    """What protects a training from interruptions and from losses that are not finite.

    Args:
        checkpoint: how often the state is written.
        rollback: how it goes back where a loss is not finite; None: it ends.
        part: what of a run is trained, for messages.
        find_records: the ids of the records of a batch, as far as they are known, by how many
            epochs are done and by the number of the step in the next one, from 1.
        notify: is told of states that are damaged, and of a training that goes back.
    """

    checkpoint: CheckpointOptions = field(default_factory=CheckpointOptions)
    rollback: RollbackOptions | None = None
    part: str = "training"
    find_records: Callable[[int, int], Sequence[str]] = lambda epochs, step: ()
    notify: Callable[[str], None] = warnings.warn

    def goes_back(self, rollbacks: int) -> bool:
        """Whether a training that went back so often would do so once more."""
        return self.rollback is not None and rollbacks < self.rollback.times

    def prepare(self, model: keras.Model, rollbacks: int) -> list[keras.callbacks.Callback]:
        """Lowers the schedule of a training that went back so often; callbacks that note it."""
        if self.rollback is None:
            return []
        schedule = find_schedule(model.optimizer)
        if rollbacks and schedule is not None:
            factor = self.rollback.factor**rollbacks
            model.optimizer.learning_rate = ScaledSchedule(schedule, factor)
        return [RollbackLog(rollbacks)]

    def roll_back(self, state: TrainingState, found: Divergence | None) -> None:
        """Goes back to the last good state, if there is one.

        Raises:
            RolledBack: it has.
        """
        if self.rollback is None or found is None or not state.roll_back(self.rollback.factor):
            return
        text = found.describe(self.part, self.find_records(found.epoch - 1, found.step))
        self.notify(
            f"{text}; on behind step {state.steps:,} of epoch {state.epochs + 1} "
            f"with {self.rollback.factor:g} of the learning rate"
        )
        raise RolledBack


DEFAULT_SAFEGUARDS = Safeguards()
"""States every ten minutes, and no way back."""
