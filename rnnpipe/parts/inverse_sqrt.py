"""The inverse square root schedule, which Keras lacks."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnpipe")
class InverseSqrt(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly, then falls with the square root of the steps.

        rate(t) = learning_rate · min(t / warmup_steps, √(warmup_steps / t))

    Args:
        learning_rate: the highest rate.
        warmup_steps: at which step it is reached, at least 1.

    Example:
        >>> schedule = InverseSqrt(0.1, 4)
        >>> [round(float(schedule(step)), 3) for step in (0, 2, 4, 16)]
        [0.0, 0.05, 0.1, 0.05]

    Source: Vaswani et al., Attention Is All You Need, 2017, section 5.3.
    """

    def __init__(self, learning_rate: float, warmup_steps: int) -> None:
        super().__init__()
        self.learning_rate, self.warmup_steps = learning_rate, warmup_steps

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step = ops.cast(step, "float32")
        falling = ops.sqrt(self.warmup_steps / ops.maximum(step, 1.0))
        return self.learning_rate * ops.minimum(step / self.warmup_steps, falling)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this schedule again."""
        return {"learning_rate": self.learning_rate, "warmup_steps": self.warmup_steps}
