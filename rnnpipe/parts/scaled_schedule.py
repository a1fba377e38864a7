"""A schedule of Keras whose rates are lower ones."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("rnnpipe")
class ScaledSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule with a lower rate.

        rate(t) = factor · schedule(t)

    Args:
        schedule: the schedule.
        factor: what its rates are multiplied by.

    Example:
        >>> halved = keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5)
        >>> [round(float(ScaledSchedule(halved, 0.2)(step)), 3) for step in (0, 4)]
        [0.02, 0.01]
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, factor: float
    ) -> None:
        super().__init__()
        self.schedule, self.factor = schedule, factor

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        return self.factor * self.schedule(step)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this schedule again."""
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "factor": self.factor}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ScaledSchedule":
        """The schedule of `get_config`."""
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["factor"])


def find_schedule(optimizer: Any) -> keras.optimizers.schedules.LearningRateSchedule | None:
    """The schedule of an optimizer; None if its rate is a variable."""
    rate = getattr(optimizer, "inner_optimizer", optimizer)._learning_rate
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None
