"""Learning-rate schedules."""

from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import Kinds, Positive, Settings, fraction, setting

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
            "cosine_restarts": f"{_HERE}:CosineRestartsScheduleOptions",
            "exponential": f"{_HERE}:ExponentialScheduleOptions",
            "inverse_time": f"{_HERE}:InverseTimeScheduleOptions",
            "piecewise_constant": f"{_HERE}:PiecewiseConstantScheduleOptions",
            "polynomial": f"{_HERE}:PolynomialScheduleOptions",
            "inverse_sqrt": f"{_HERE}:InverseSqrtScheduleOptions",
            "slanted_triangular": f"{_HERE}:SlantedTriangularScheduleOptions",
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

    def _warm_up(self, schedule: Any) -> Any:
        """The schedule after its warm-up."""
        from rnnpipe.parts.warm_up import WarmUp

        return WarmUp(schedule, self.warmup_steps) if self.warmup_steps else schedule

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
    alpha: float = fraction(help="share of the highest rate at which it ends")

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """Keras' `CosineDecay`, which ends with the training."""
        return self._make_cosine(learning_rate, steps, self.alpha)


class CosineRestartsScheduleOptions(_WarmupOptions):
    """The rate falls as half a cosine, again and again (Loshchilov & Hutter 2017)."""

    kind: Literal["cosine_restarts"] = "cosine_restarts"
    first_decay_steps: int = setting(1000, "of the first fall", ge=1)
    t_mul: float = setting(2.0, "how many times longer each fall is than the one before", ge=1)
    m_mul: float = setting(1.0, "what the highest rate is multiplied by at each restart", gt=0)
    alpha: float = fraction(help="share of the highest rate at which each fall ends")

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """Keras' `CosineDecayRestarts`."""
        import keras

        del steps
        decay = keras.optimizers.schedules.CosineDecayRestarts(
            learning_rate, self.first_decay_steps, self.t_mul, self.m_mul, self.alpha
        )
        return self._warm_up(decay)


class _DecayOptions(_WarmupOptions):
    decay_steps: int | None = setting(
        None, "after which it has fallen; null: the steps of the training after the warm-up", ge=1
    )

    def _steps(self, steps: int) -> int:
        return self.decay_steps or max(steps - self.warmup_steps, 1)


class ExponentialScheduleOptions(_DecayOptions):
    """The rate falls by the same factor over each of equal spans: r · d^(t / T)."""

    kind: Literal["exponential"] = "exponential"
    decay_rate: float = setting(0.1, "d, the factor over decay_steps", gt=0, le=1)
    staircase: bool = setting(False, "whether it falls all at once, every decay_steps")

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """Keras' `ExponentialDecay`."""
        import keras

        decay = keras.optimizers.schedules.ExponentialDecay(
            learning_rate, self._steps(steps), self.decay_rate, self.staircase
        )
        return self._warm_up(decay)


class InverseTimeScheduleOptions(_DecayOptions):
    """The rate falls with the steps: r / (1 + d t / T)."""

    kind: Literal["inverse_time"] = "inverse_time"
    decay_rate: float = setting(1.0, "d, how fast it falls", gt=0)
    staircase: bool = setting(False, "whether it falls all at once, every decay_steps")

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """Keras' `InverseTimeDecay`."""
        import keras

        decay = keras.optimizers.schedules.InverseTimeDecay(
            learning_rate, self._steps(steps), self.decay_rate, self.staircase
        )
        return self._warm_up(decay)


class PolynomialScheduleOptions(_DecayOptions):
    """The rate falls to its last value as a power of the steps that are left; by default evenly."""

    kind: Literal["polynomial"] = "polynomial"
    end_learning_rate: float = setting(0.0, "the last rate", ge=0)
    power: float = setting(1.0, "of the share of steps that are left", gt=0)
    cycle: bool = setting(False, "whether it rises again after decay_steps, and falls for longer")

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """Keras' `PolynomialDecay`."""
        import keras

        decay = keras.optimizers.schedules.PolynomialDecay(
            learning_rate, self._steps(steps), self.end_learning_rate, self.power, self.cycle
        )
        return self._warm_up(decay)


class PiecewiseConstantScheduleOptions(_WarmupOptions):
    """The rate stays, but changes after certain steps."""

    kind: Literal["piecewise_constant"] = "piecewise_constant"
    boundaries: tuple[Positive, ...] = setting(
        (1000,), "the steps after which it changes, from the end of the warm-up on", min_length=1
    )
    factors: tuple[float, ...] = setting(
        (0.1,), "what the highest rate is multiplied by from each boundary on"
    )

    def check(self) -> None:
        """Boundaries rise, and each has a factor above 0."""
        if list(self.boundaries) != sorted(set(self.boundaries)):
            got = str(list(self.boundaries))
            raise UserError("boundaries", "steps that rise", got, "put them in order")
        if len(self.factors) != len(self.boundaries) or not all(f > 0 for f in self.factors):
            expected = f"a number above 0 for each of the {len(self.boundaries)} boundaries"
            raise UserError("factors", expected, str(list(self.factors)), "write e.g. [0.1, 0.01]")

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """Keras' `PiecewiseConstantDecay`."""
        import keras

        del steps
        rates = [learning_rate, *(learning_rate * factor for factor in self.factors)]
        decay = keras.optimizers.schedules.PiecewiseConstantDecay(list(self.boundaries), rates)
        return self._warm_up(decay)


class InverseSqrtScheduleOptions(ScheduleOptions):
    """The rate rises linearly, then falls with the root of the steps (Vaswani et al. 2017)."""

    kind: Literal["inverse_sqrt"] = "inverse_sqrt"
    warmup_steps: int = setting(1000, "over which the rate first rises from zero", ge=1)

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """An `InverseSqrt`."""
        from rnnpipe.parts.inverse_sqrt import InverseSqrt

        del steps
        return InverseSqrt(learning_rate, self.warmup_steps)


class SlantedTriangularScheduleOptions(ScheduleOptions):
    """The rate rises linearly, then falls linearly for longer (Howard & Ruder 2018)."""

    kind: Literal["slanted_triangular"] = "slanted_triangular"
    rise: float = fraction(0.1, "share of all steps in which it rises")
    ratio: float = setting(32.0, "how many times the lowest rate the highest one is", ge=1)

    def make(self, learning_rate: float, *, steps: int) -> Any:
        """A `SlantedTriangular`, which ends with the training."""
        from rnnpipe.parts.slanted_triangular import SlantedTriangular

        return SlantedTriangular(learning_rate, steps, rise=self.rise, ratio=self.ratio)


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
