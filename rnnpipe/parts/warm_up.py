"""A warm-up before any schedule of Keras, which has one for the cosine alone."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnpipe")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from zero to where another schedule begins.

        rate(t) = schedule(0) · t / warmup_steps        t < warmup_steps
                  schedule(t − warmup_steps)            else

    Args:
        schedule: what follows.
        warmup_steps: how many steps come before it, at least 1.

    Example:
        >>> halved = keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5)
        >>> [round(float(WarmUp(halved, 2)(step)), 3) for step in (0, 1, 2, 6)]
        [0.0, 0.05, 0.1, 0.05]

    Source: Goyal et al., Accurate, Large Minibatch SGD, 2017, section 2.2.
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, warmup_steps: int
    ) -> None:
        super().__init__()
        self.schedule, self.warmup_steps = schedule, warmup_steps

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step = ops.cast(step, "float32")
        rising = ops.cast(self.schedule(0), "float32") * step / self.warmup_steps
        following = self.schedule(ops.maximum(step - self.warmup_steps, 0.0))
        return ops.where(step < self.warmup_steps, rising, ops.cast(following, "float32"))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this schedule again."""
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "warmup_steps": self.warmup_steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WarmUp":
        """The schedule of `get_config`."""
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["warmup_steps"])
