"""Learning-rate schedules."""

from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import Kinds, Settings, setting

if TYPE_CHECKING:
    import keras

_HERE = "rnnpipe.parts.schedules"


class ScheduleOptions(Settings):
    """How the learning rate changes in training.

    A subclass has a `kind`. Other packages add kinds by the entry point group `rnnpipe.schedules`.
    """

    kinds = Kinds(
        "rnnpipe.schedules",
        {
            "constant": f"{_HERE}:ConstantScheduleOptions",
            "cosine": f"{_HERE}:CosineScheduleOptions",
            "inverse_sqrt": f"{_HERE}:InverseSqrtScheduleOptions",
            "plateau": f"{_HERE}:PlateauScheduleOptions",
        },
    )

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """The rate, or what gives it at each step.

        Args:
            learning_rate: the highest rate.
            steps: the steps of the whole training.
        """
        raise NotImplementedError

    def check_steps(self, steps: int) -> None:
        """Checks that the rate reaches its height before the training ends.

        Args:
            steps: the steps of the whole training.

        Raises:
            UserError: `warmup_steps`, where a kind has them, are more; `where` is the key alone.
        """
        warmup = getattr(self, "warmup_steps", 0)
        if warmup > steps:
            expected, fix = (
                f"at most the {steps:,} steps of the training",
                "lower it, or train longer",
            )
            raise UserError("warmup_steps", expected, f"{warmup:,}", fix)

    def check_patience(self, patience: int) -> None:
        """Checks that the rate can change before training stops for want of a better epoch.

        Args:
            patience: epochs without a better value before it stops.

        Raises:
            UserError: the schedule waits as long; `where` is the key alone.
        """
        del patience

    def make_callbacks(self, monitor: str, mode: str) -> "list[keras.callbacks.Callback]":
        """What lowers the rate by the validation's results.

        Args:
            monitor: the validated quantity, e.g. `val_loss`.
            mode: whether `min` or `max` of it is best.
        """
        del monitor, mode
        return []


class _WarmupOptions(ScheduleOptions):
    warmup_steps: int = setting(0, "over which the rate first rises from zero", ge=0)

    def _make_cosine(self, learning_rate: float, steps: int, final: float) -> Any:
        import keras

        return keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if self.warmup_steps else learning_rate,
            decay_steps=max(steps - self.warmup_steps, 1),
            alpha=final,
            warmup_target=learning_rate if self.warmup_steps else None,
            warmup_steps=self.warmup_steps,
        )


class ConstantScheduleOptions(_WarmupOptions):
    """The rate stays, after a linear warm-up."""

    kind: Literal["constant"] = "constant"

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """The rate, or a schedule where there is a warm-up."""
        return self._make_cosine(learning_rate, steps, 1.0) if self.warmup_steps else learning_rate


class CosineScheduleOptions(_WarmupOptions):
    """The rate falls to zero as half a cosine (Loshchilov & Hutter 2017)."""

    kind: Literal["cosine"] = "cosine"

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """Keras' `CosineDecay`, which ends with the training."""
        return self._make_cosine(learning_rate, steps, 0.0)


class InverseSqrtScheduleOptions(ScheduleOptions):
    """The rate rises linearly, then falls with the root of the steps (Vaswani et al. 2017)."""

    kind: Literal["inverse_sqrt"] = "inverse_sqrt"
    warmup_steps: int = setting(1000, "over which the rate first rises from zero", ge=1)

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """An `InverseSqrt`."""
        from rnnpipe.parts.inverse_sqrt import InverseSqrt

        del steps
        return InverseSqrt(learning_rate, self.warmup_steps)


class PlateauScheduleOptions(ScheduleOptions):
    """The rate falls whenever validation gets no better."""

    kind: Literal["plateau"] = "plateau"
    factor: float = setting(0.5, "what the rate is multiplied by", gt=0, lt=1)
    patience: int = setting(2, "epochs without a better value before that", ge=1)

    def check_patience(self, patience: int) -> None:
        """The rate falls before training stops."""
        if self.patience >= patience:
            expected = f"less than train.keep_best.patience, {patience}, with which training stops"
            fix = "lower it, or raise train.keep_best.patience"
            raise UserError("patience", expected, str(self.patience), fix)

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """The rate; the callback lowers it."""
        del steps
        return learning_rate

    def make_callbacks(self, monitor: str, mode: str) -> "list[keras.callbacks.Callback]":
        """Keras' `ReduceLROnPlateau`."""
        import keras

        return [
            keras.callbacks.ReduceLROnPlateau(
                monitor, factor=self.factor, patience=self.patience, mode=mode, min_delta=0.0
            )
        ]
