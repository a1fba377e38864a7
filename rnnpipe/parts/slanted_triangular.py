"""The slanted triangular schedule, which Keras lacks."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnpipe")
class SlantedTriangular(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly for a short time, then falls linearly for a long one.

        p(t) = t / c                    for t < c,   with c = ⌊T · rise⌋
        p(t) = 1 − (t − c) / (T − c)    else
        rate(t) = learning_rate · (1 + p(t) (ratio − 1)) / ratio

    Args:
        learning_rate: the highest rate.
        steps: T, the steps of the whole training; the rate is the lowest one after them.
        rise: share of the steps in which it rises.
        ratio: how many times the lowest rate the highest one is.

    Example:
        >>> schedule = SlantedTriangular(0.1, 20, rise=0.2, ratio=5.0)
        >>> [round(float(schedule(step)), 3) for step in (0, 2, 4, 12, 20)]
        [0.02, 0.06, 0.1, 0.06, 0.02]

    Source: Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, 2018,
    section 3.2, equation 3.
    """

    def __init__(
        self, learning_rate: float, steps: int, *, rise: float = 0.1, ratio: float = 32.0
    ) -> None:
        super().__init__()
        self.learning_rate, self.steps, self.rise, self.ratio = learning_rate, steps, rise, ratio

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step = ops.cast(step, "float32")
        cut = int(self.steps * self.rise)
        rising = step / max(cut, 1)
        falling = 1 - (step - cut) / max(self.steps - cut, 1)
        share = ops.maximum(ops.where(step < cut, rising, falling), 0.0)
        return self.learning_rate * (1 + share * (self.ratio - 1)) / self.ratio

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this schedule again."""
        return {
            "learning_rate": self.learning_rate,
            "steps": self.steps,
            "rise": self.rise,
            "ratio": self.ratio,
        }
