"""Optimizers with their learning-rate schedules."""

from typing import Any, Literal

import keras
from keras import ops

Schedule = Literal["constant", "cosine", "inverse_sqrt", "plateau"]


@keras.saving.register_keras_serializable("rnnpipe")
class InverseSqrt(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly, then falls with the square root of the steps.

        rate(t) = peak · min(t / warmup, √(warmup / t))

    Args:
        peak: the highest rate.
        warmup: at which step it is reached, at least 1.

    Example:
        >>> schedule = InverseSqrt(0.1, 4)
        >>> [round(float(schedule(step)), 3) for step in (0, 2, 4, 16)]
        [0.0, 0.05, 0.1, 0.05]

    Source: Vaswani et al., Attention Is All You Need, 2017, section 5.3.
    """

    def __init__(self, peak: float, warmup: int) -> None:
        super().__init__()
        self.peak, self.warmup = peak, warmup

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        step = ops.cast(step, "float32")
        falling = ops.sqrt(self.warmup / ops.maximum(step, 1.0))
        return self.peak * ops.minimum(step / self.warmup, falling)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"peak": self.peak, "warmup": self.warmup}


def build_adam(
    *,
    learning_rate: float,
    steps: int,
    schedule: Schedule = "constant",
    warmup_steps: int = 0,
    clip_norm: float | None = None,
    weight_decay: float = 0.0,
    ema: float = 0.0,
) -> keras.optimizers.Optimizer:
    """Adam with a schedule and clipped gradients.

    Args:
        learning_rate: the highest rate.
        steps: the steps of the whole training; a cosine ends there, at zero.
        schedule: what follows the warm-up: the rate stays, falls as half a cosine (Loshchilov &
            Hutter 2017) or as `InverseSqrt`. For `plateau` it stays too: `ReduceLROnPlateau`, a
            callback of Keras, lowers it.
        warmup_steps: over how many steps the rate first rises from zero.
        clip_norm: largest norm of all gradients together (Pascanu et al. 2013); None for any.
        weight_decay: the share of every weight that a step takes off, times the learning rate
            (AdamW, Loshchilov & Hutter 2019).
        ema: momentum m of a mean of the weights, w̄ ← m w̄ + (1 − m) w at every step, for
            `keras.callbacks.SwapEMAWeights` to judge and keep (Polyak & Juditsky 1992); 0 for none.
    """
    rate: Any = learning_rate
    if schedule == "inverse_sqrt":
        rate = InverseSqrt(learning_rate, warmup_steps)
    elif schedule == "cosine" or warmup_steps:
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if warmup_steps else learning_rate,
            decay_steps=max(steps - warmup_steps, 1),
            alpha=0.0 if schedule == "cosine" else 1.0,
            warmup_target=learning_rate if warmup_steps else None,
            warmup_steps=warmup_steps,
        )
    options: dict[str, Any] = {"global_clipnorm": clip_norm}
    if ema:
        options |= {"use_ema": True, "ema_momentum": ema}
    if weight_decay:
        return keras.optimizers.AdamW(rate, weight_decay=weight_decay, **options)
    return keras.optimizers.Adam(rate, **options)
