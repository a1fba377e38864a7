"""What keeps gradients of 16 bits from vanishing."""

from typing import TYPE_CHECKING

from rnnpipe.settings import Settings, setting

if TYPE_CHECKING:
    import keras


class LossScaleOptions(Settings):
    """A factor of the loss that gradients are divided by (Micikevicius et al. 2018).

    Example:
        >>> from rnnpipe.parts.optimizers import SGDOptions
        >>> optimizer = SGDOptions(loss_scale=LossScaleOptions(initial_scale=8.0)).make(steps=100)
        >>> type(optimizer).__name__, optimizer.initial_scale
        ('LossScaleOptimizer', 8.0)
    """

    initial_scale: float = setting(2.0**15, "the factor before the first step", gt=0)
    dynamic_growth_steps: int = setting(
        2000, "steps after which it doubles; it halves where a gradient is not finite", ge=1
    )

    def wrap(self, optimizer: "keras.optimizers.Optimizer") -> "keras.optimizers.Optimizer":
        """The optimizer within one that scales the loss."""
        from rnnpipe.parts.loss_scale_optimizer import LossScaleOptimizer

        return LossScaleOptimizer(
            optimizer,
            initial_scale=self.initial_scale,
            dynamic_growth_steps=self.dynamic_growth_steps,
        )
