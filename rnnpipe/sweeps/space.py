"""The search space of a sweep: which settings are varied, and how they are drawn."""

import json
import math
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.config.loader import load_file, load_settings
from rnnpipe.errors import UserError
from rnnpipe.settings import Kinds, Settings, setting

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_HERE = "rnnpipe.sweeps.space"


class Parameter(Settings):
    """A setting that is varied.

    Other packages add kinds by the entry point group `rnnpipe.parameters`.
    """

    kinds = Kinds(
        "rnnpipe.parameters",
        {
            "float": f"{_HERE}:FloatParameter",
            "integer": f"{_HERE}:IntegerParameter",
            "choice": f"{_HERE}:ChoiceParameter",
        },
    )
    kind: str

    @property
    def distribution(self) -> "BaseDistribution":
        """What Optuna draws from."""
        raise NotImplementedError

    @property
    def limits(self) -> Sequence[Any]:
        """Values to try a config with before the sweep: all of a choice, both ends of a range."""
        raise NotImplementedError

    @property
    def grid(self) -> Sequence[Any] | None:
        """All of its values; None: there are infinitely many."""
        raise NotImplementedError

    def decode(self, drawn: Any) -> Any:
        """The value of the config for what Optuna has drawn."""
        return drawn

    def encode(self, value: Any) -> Any:
        """What Optuna draws for a value of the config."""
        return value


class FloatParameter(Parameter):
    """A number from a range."""

    kind: Literal["float"] = "float"
    low: float = setting(help="the least value")
    high: float = setting(help="the greatest value")
    log: bool = setting(False, "whether it is drawn evenly on a logarithmic scale")

    def check(self) -> None:
        """The range is not empty, and has a logarithm where that is drawn."""
        _check_range(self.low, self.high, log=self.log)

    @property
    def distribution(self) -> "BaseDistribution":
        """The range."""
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high, log=self.log)

    @property
    def limits(self) -> Sequence[float]:
        """Its ends."""
        return self.low, self.high

    @property
    def grid(self) -> None:
        """None: there are infinitely many."""


class IntegerParameter(Parameter):
    """A whole number from a range."""

    kind: Literal["integer"] = "integer"
    low: int = setting(help="the least value")
    high: int = setting(help="the greatest value")
    step: int = setting(1, "between two values", ge=1)
    log: bool = setting(False, "whether it is drawn evenly on a logarithmic scale")

    def check(self) -> None:
        """The range is whole steps, and has a logarithm where that is drawn."""
        _check_range(self.low, self.high, log=self.log)
        if self.log:
            self.require_default("step", "with log")
        if (self.high - self.low) % self.step:
            high = self.high - (self.high - self.low) % self.step
            expected = f"low and a number of steps of {self.step}"
            raise UserError("high", expected, str(self.high), f"write e.g. {high}")

    @property
    def distribution(self) -> "BaseDistribution":
        """The range."""
        from optuna.distributions import IntDistribution

        return IntDistribution(self.low, self.high, step=self.step, log=self.log)

    @property
    def limits(self) -> Sequence[int]:
        """Its ends."""
        return self.low, self.high

    @property
    def grid(self) -> Sequence[int]:
        """All steps."""
        return range(self.low, self.high + 1, self.step)


class ChoiceParameter(Parameter):
    """One of several values, which may be whole sections: `{kind: attention, glimpses: 2}`."""

    kind: Literal["choice"] = "choice"
    values: tuple[Any, ...] = setting(help="the values", min_length=1)

    def check(self) -> None:
        """Nothing is there twice."""
        texts = [self.encode(value) for value in self.values]
        if len({*texts}) < len(texts):
            raise UserError("values", "each value once", "one twice", "remove what is repeated")

    @property
    def distribution(self) -> "BaseDistribution":
        """The values as texts of JSON, as Optuna knows neither lists nor sections."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution([self.encode(value) for value in self.values])

    @property
    def limits(self) -> Sequence[Any]:
        """All values."""
        return self.values

    @property
    def grid(self) -> Sequence[Any]:
        """All values."""
        return self.values

    def decode(self, drawn: str) -> Any:
        """The value of a text."""
        return json.loads(drawn)

    def encode(self, value: Any) -> str:
        """The text of a value."""
        return json.dumps(value)


class Pruning(Settings):
    """When a trial is stopped: its best value is worse than the median of others' at that epoch."""

    startup_trials: int = setting(5, "trials that must have finished before one is stopped", ge=0)
    warmup_epochs: int = setting(1, "epochs in which none is stopped", ge=0)


class Space(Settings):
    """What a sweep varies, and how."""

    parameters: dict[str, Parameter] = setting(
        help="by the key of a setting, e.g. train.optimizer.learning_rate"
    )
    sampler: Literal["tpe", "random", "grid"] = setting(
        "tpe",
        "how values are drawn: by those that did well (Bergstra et al. 2011), evenly, or each "
        "combination once",
    )
    pruning: Pruning | None = setting(Pruning(), "null: no trial is stopped")

    def check(self) -> None:
        """There is something to vary, and a grid is finite."""
        if not self.parameters:
            fix = "write e.g. model.dropout: {kind: float, low: 0.1, high: 0.6}"
            raise UserError("parameters", "settings to vary", "none", fix)
        if "seed" in self.parameters:
            fix = "sweep first, then run the best config with --seeds"
            raise UserError("parameters", "settings of the model and its training", "seed", fix)
        for key, parameter in self.parameters.items():
            if self.sampler == "grid" and parameter.grid is None:
                expected = f"tpe or random with {key}, which has infinitely many values"
                raise UserError("sampler", expected, "grid", "write a choice of its values")

    @property
    def combinations(self) -> int | None:
        """How many trials there can be; None: any number."""
        if self.sampler != "grid":
            return None
        return math.prod(len(parameter.grid or ()) for parameter in self.parameters.values())

    def combination(self, number: int) -> dict[str, Any]:
        """The values of a trial of a grid by key; the last key varies fastest.

        Args:
            number: of the trial, from 1.
        """
        values = [parameter.grid or () for parameter in self.parameters.values()]
        return dict(zip(self.parameters, list(product(*values))[number - 1], strict=True))

    @property
    def limits(self) -> list[tuple[str, Any]]:
        """Keys and values to try a config with, each by itself: those of `Parameter.limits`."""
        return [
            (key, value) for key, parameter in self.parameters.items() for value in parameter.limits
        ]


def read_space(space: str | Path | Mapping[str, Any] | Space) -> Space:
    """A search space from a YAML file, from nested mappings, or as it is.

    Raises:
        UserError: as `Faults`, everything that is wrong with it.
    """
    if isinstance(space, Space):
        return space
    if isinstance(space, Mapping):
        return load_settings(Space, space)
    return load_file(Space, Path(space))


def _check_range(low: float, high: float, *, log: bool) -> None:
    if low >= high:
        raise UserError("high", f"a value above low, {low:g}", f"{high:g}", "swap the two")
    if log and low <= 0:
        raise UserError("low", "a value above 0 with log", f"{low:g}", "write e.g. 1e-5")
