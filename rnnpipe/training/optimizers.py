"""Optimizers with their learning-rate schedules."""

from typing import Any, Literal

import keras


def build_adam(
    *,
    learning_rate: float,
    steps: int,
    schedule: Literal["constant", "cosine"] = "constant",
    warmup_steps: int = 0,
    clip_norm: float | None = None,
) -> keras.optimizers.Optimizer:
    """Adam with a schedule and clipped gradients.

    Args:
        learning_rate: the highest rate.
        steps: the steps of the whole training; a cosine ends there, at zero.
        schedule: what follows the warm-up: the rate stays, or falls as half a cosine
            (Loshchilov & Hutter 2017).
        warmup_steps: over how many steps the rate first rises from zero.
        clip_norm: largest norm of all gradients together (Pascanu et al. 2013); None for any.
    """
    rate: Any = learning_rate
    if schedule == "cosine" or warmup_steps:
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if warmup_steps else learning_rate,
            decay_steps=max(steps - warmup_steps, 1),
            alpha=0.0 if schedule == "cosine" else 1.0,
            warmup_target=learning_rate if warmup_steps else None,
            warmup_steps=warmup_steps,
        )
    return keras.optimizers.Adam(rate, global_clipnorm=clip_norm)
