"""Optimizers of Keras, with clipping and running means of the weights."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rnnpipe.errors import UserError
from rnnpipe.parts.loss_scale import LossScaleOptions
from rnnpipe.parts.schedules import ConstantScheduleOptions, ScheduleOptions
from rnnpipe.settings import Kinds, Settings, fraction, setting

if TYPE_CHECKING:
    import keras

    from rnnpipe.parts.layer_groups import LayerGroups

_HERE = "rnnpipe.parts.optimizers"


class OptimizerOptions(Settings):
    """An optimizer of Keras.

    A subclass has a `kind`, and as its own settings the optimizer's own arguments. Other packages
    add kinds by the entry point group `rnnpipe.optimizers`.

    Example:
        >>> optimizer = SGDOptions(momentum=0.9, clip_norm=1.0).make(steps=100)
        >>> optimizer.momentum, optimizer.global_clipnorm
        (0.9, 1.0)
    """

    kinds = Kinds(
        "rnnpipe.optimizers",
        {
            "adam": f"{_HERE}:AdamOptions",
            "adamw": f"{_HERE}:AdamWOptions",
            "adamax": f"{_HERE}:AdamaxOptions",
            "nadam": f"{_HERE}:NadamOptions",
            "sgd": f"{_HERE}:SGDOptions",
            "rmsprop": f"{_HERE}:RMSpropOptions",
            "adagrad": f"{_HERE}:AdagradOptions",
            "adadelta": f"{_HERE}:AdadeltaOptions",
            "adafactor": f"{_HERE}:AdafactorOptions",
            "ftrl": f"{_HERE}:FtrlOptions",
            "lion": f"{_HERE}:LionOptions",
            "lamb": f"{_HERE}:LambOptions",
            "muon": f"{_HERE}:MuonOptions",
        },
    )
    keras_name: ClassVar[str] = ""

    learning_rate: float = setting(1e-3, "the highest rate", gt=0)
    schedule: ScheduleOptions = ConstantScheduleOptions()
    clip_norm: float | None = setting(
        5.0, "largest norm of all gradients together (Pascanu 2013); null: no clipping", gt=0
    )
    clip_variable_norm: float | None = setting(
        None, "largest norm of the gradient of each variable; null: no clipping", gt=0
    )
    clip_value: float | None = setting(
        None, "largest absolute value of each gradient; null: no clipping", gt=0
    )
    weight_decay: float = setting(
        0.0, "share of every weight that a step takes off, times the rate; with adam: AdamW", ge=0
    )
    ema: float = fraction(
        help="momentum of a running mean of the weights, e.g. 0.995; the mean is what is validated "
        "and kept. 0: the weights themselves"
    )
    gradient_accumulation_steps: int = setting(
        1, "batches whose gradients are averaged for one step", ge=1
    )
    loss_scale: LossScaleOptions | None = setting(
        None,
        "what keeps gradients of 16 bits from vanishing; null: with train.precision float16 its "
        "defaults, else nothing, as 32 bits need none",
    )

    def check(self) -> None:
        """Keras clips gradients in one way at a time."""
        ways = ("clip_norm", "clip_variable_norm", "clip_value")
        first, *others = [way for way in ways if getattr(self, way) is not None] or [""]
        if others:
            expected, got = f"null with {others[0]}", str(getattr(self, first))
            raise UserError(first, expected, got, f"write {first}: null")

    def make(
        self, *, steps: int, groups: "LayerGroups | None" = None
    ) -> "keras.optimizers.Optimizer":
        """The optimizer.

        Args:
            steps: the steps of the whole training, for the schedule.
            groups: groups of variables with rates of their own; None: all have one rate.
        """
        import keras

        from rnnpipe.parts.layer_groups import LayerGroupOptimizer

        rate = self.schedule.make(self.learning_rate, steps=steps)
        if groups is None:
            optimizer = self._make(rate, **self._shared)
        else:
            optimizer = LayerGroupOptimizer(self._make, groups, learning_rate=rate, **self._shared)
        loss_scale = self.loss_scale
        if loss_scale is None and keras.config.dtype_policy().name == "mixed_float16":
            loss_scale = LossScaleOptions()
        return optimizer if loss_scale is None else loss_scale.wrap(optimizer)

    def _make(self, learning_rate: Any, **options: Any) -> Any:
        """The optimizer of Keras, with the settings of this kind alone."""
        import keras

        shared = {declared.name for declared in fields(OptimizerOptions)} | {"kind"}
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in shared}
        decay = self.weight_decay or None
        make = getattr(keras.optimizers, self.keras_name)
        return make(learning_rate, weight_decay=decay, **options, **own)

    @property
    def _shared(self) -> dict[str, Any]:
        """The arguments that concern all variables together."""
        return {
            "clipnorm": self.clip_variable_norm,
            "global_clipnorm": self.clip_norm,
            "clipvalue": self.clip_value,
            **({"use_ema": True, "ema_momentum": self.ema} if self.ema else {}),
            "gradient_accumulation_steps": _or_none(self.gradient_accumulation_steps, 1),
        }

    def make_callbacks(self) -> "list[keras.callbacks.Callback]":
        """What puts the running mean in the weights' place when an epoch ends, where there is one.

        They come before all callbacks that validate or keep the weights.
        """
        import keras

        return [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if self.ema else []


def _or_none(value: int, none: int) -> int | None:
    return None if value == none else value


class _MomentsOptions(OptimizerOptions):
    beta_1: float = fraction(0.9, "decay of the gradients' mean")
    beta_2: float = fraction(0.999, "decay of the squared gradients' mean")
    epsilon: float = setting(1e-7, "what keeps a step from dividing by zero", gt=0)


class _AdamOptions(_MomentsOptions):
    amsgrad: bool = setting(False, "whether steps use the greatest mean so far (Reddi 2018)")


class AdamOptions(_AdamOptions):
    """Adam (Kingma & Ba 2015); with weight decay it is AdamW."""

    kind: Literal["adam"] = "adam"
    keras_name = "Adam"


class AdamWOptions(_AdamOptions):
    """Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019)."""

    kind: Literal["adamw"] = "adamw"
    keras_name = "AdamW"
    weight_decay: float = setting(
        0.004, "share of every weight that a step takes off, times the rate", gt=0
    )


class AdamaxOptions(_MomentsOptions):
    """Adamax (Kingma & Ba 2015, section 7)."""

    kind: Literal["adamax"] = "adamax"
    keras_name = "Adamax"


class NadamOptions(_MomentsOptions):
    """Adam with Nesterov momentum (Dozat 2016)."""

    kind: Literal["nadam"] = "nadam"
    keras_name = "Nadam"


class SGDOptions(OptimizerOptions):
    """Stochastic gradient descent."""

    kind: Literal["sgd"] = "sgd"
    keras_name = "SGD"
    learning_rate: float = setting(0.01, "the highest rate", gt=0)
    momentum: float = fraction(help="share of the last step that is taken again")
    nesterov: bool = setting(False, "whether the gradient is that after the momentum's step")

    def check(self) -> None:
        """Nesterov's step is one of momentum."""
        super().check()
        if not self.momentum:
            self.require_default("nesterov", "without momentum")


class RMSpropOptions(OptimizerOptions):
    """RMSprop (Tieleman & Hinton 2012)."""

    kind: Literal["rmsprop"] = "rmsprop"
    keras_name = "RMSprop"
    rho: float = fraction(0.9, "decay of the squared gradients' mean")
    momentum: float = fraction(help="share of the last step that is taken again")
    epsilon: float = setting(1e-7, "what keeps a step from dividing by zero", gt=0)
    centered: bool = setting(False, "whether gradients are divided by their variance")


class AdagradOptions(OptimizerOptions):
    """Adagrad (Duchi et al. 2011)."""

    kind: Literal["adagrad"] = "adagrad"
    keras_name = "Adagrad"
    initial_accumulator_value: float = setting(0.1, "where the squared gradients' sum starts", ge=0)
    epsilon: float = setting(1e-7, "what keeps a step from dividing by zero", gt=0)


class AdadeltaOptions(OptimizerOptions):
    """Adadelta (Zeiler 2012)."""

    kind: Literal["adadelta"] = "adadelta"
    keras_name = "Adadelta"
    rho: float = fraction(0.95, "decay of the means")
    epsilon: float = setting(1e-7, "what keeps a step from dividing by zero", gt=0)


class AdafactorOptions(OptimizerOptions):
    """Adafactor (Shazeer & Stern 2018)."""

    kind: Literal["adafactor"] = "adafactor"
    keras_name = "Adafactor"
    beta_2_decay: float = setting(-0.8, "exponent of the decay", le=0)
    epsilon_1: float = setting(1e-30, "least squared gradient", gt=0)
    epsilon_2: float = setting(1e-3, "least scale of the weights", gt=0)
    clip_threshold: float = setting(1.0, "largest root mean square of an update", gt=0)
    relative_step: bool = setting(True, "whether the rate falls with the steps")


class FtrlOptions(OptimizerOptions):
    """Follow the regularised leader (McMahan et al. 2013)."""

    kind: Literal["ftrl"] = "ftrl"
    keras_name = "Ftrl"
    learning_rate_power: float = setting(-0.5, "exponent of the rate's decay", le=0)
    initial_accumulator_value: float = setting(0.1, "where the squared gradients' sum starts", ge=0)
    l1_regularization_strength: float = setting(0.0, "of the weights' absolute values", ge=0)
    l2_regularization_strength: float = setting(0.0, "of the weights' squares", ge=0)
    l2_shrinkage_regularization_strength: float = setting(0.0, "on the gradient itself", ge=0)
    beta: float = setting(0.0, "added to the root of the squared gradients' sum", ge=0)


class LionOptions(OptimizerOptions):
    """Lion (Chen et al. 2023)."""

    kind: Literal["lion"] = "lion"
    keras_name = "Lion"
    beta_1: float = fraction(0.9, "share of the mean in a step")
    beta_2: float = fraction(0.99, "decay of the gradients' mean")


class LambOptions(_MomentsOptions):
    """LAMB, for large batches (You et al. 2020)."""

    kind: Literal["lamb"] = "lamb"
    keras_name = "Lamb"


class MuonOptions(OptimizerOptions):
    """Muon for matrices, Adam for all else (Jordan et al. 2024)."""

    kind: Literal["muon"] = "muon"
    keras_name = "Muon"
    momentum: float = fraction(0.95, "share of the last step that is taken again")
    nesterov: bool = setting(True, "whether the gradient is that after the momentum's step")
    ns_steps: int = setting(5, "Newton-Schulz iterations", ge=1)
    adam_beta_1: float = fraction(0.9, "Adam's decay of the gradients' mean")
    adam_beta_2: float = fraction(0.999, "Adam's decay of the squared gradients' mean")
    adam_lr_ratio: float = setting(1.0, "Adam's rate over Muon's", gt=0)
    adam_weight_decay: float = setting(
        0.004, "Adam's weight decay, as weight_decay is Muon's; 0: none", ge=0
    )
    epsilon: float = setting(1e-7, "what keeps a step from dividing by zero", gt=0)
    exclude_embeddings: bool = setting(True, "whether Adam trains embeddings too")
    exclude_layers: tuple[str, ...] = setting(
        (), "regular expressions: Adam trains all variables whose paths one is found in"
    )
    muon_a: float = setting(3.4445, "coefficient of X in a Newton-Schulz iteration")
    muon_b: float = setting(-4.7750, "coefficient of X Xᵀ X")
    muon_c: float = setting(2.0315, "coefficient of X Xᵀ X Xᵀ X")
    rms_rate: float | None = setting(
        0.2, "what steps are scaled by, times the root of the longer side; null: no scaling", gt=0
    )
