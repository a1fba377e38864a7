"""The optimizer that a config asks for, and what it needs beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnpipe.config.schema.base import Adam

if TYPE_CHECKING:
    import keras


def make_optimizer(config: Adam, *, steps: int) -> keras.optimizers.Optimizer:
    """Adam as `train.optimizer` has it.

    Args:
        config: `train.optimizer`.
        steps: the steps of the whole training.
    """
    from rnnpipe.training.optimizers import build_adam  # brings in Keras

    return build_adam(
        learning_rate=config.learning_rate,
        steps=steps,
        schedule=config.schedule.kind,
        warmup_steps=config.schedule.warmup_steps,
        clip_norm=config.clip_norm,
        weight_decay=config.weight_decay,
        ema=config.ema,
    )


def judge_mean(config: Adam) -> list[keras.callbacks.Callback]:
    """Puts the mean of the weights in their place, where there is one, when an epoch ends.

    It comes before all callbacks that judge or keep the weights.

    Args:
        config: `train.optimizer`.
    """
    import keras

    return [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if config.ema else []
