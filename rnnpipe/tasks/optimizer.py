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


def ema_callbacks(config: Adam) -> list[keras.callbacks.Callback]:
    """Callbacks that swap in the moving average of the weights at the end of an epoch.

    They come before all callbacks that score or save the weights; without an average there is none.

    Args:
        config: `train.optimizer`.
    """
    import keras

    return [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if config.ema else []
