"""A trial of a sweep: one run, with the values that it has beside those of the config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rnnpipe.settings import value_text

State = Literal["unfinished", "finished", "pruned", "failed"]


@dataclass(frozen=True)
class Trial:
    """One run of a sweep.

    Args:
        number: from 1.
        values: of the settings that are varied, by key.
        state: `unfinished` while it trains, and of a sweep that was interrupted.
        score: the best value of the quantity by which epochs are compared; None where there is
            none.
        epochs: that quantity after each epoch.
        reason: why it failed.
        seconds: how long it took, all attempts together.
    """

    number: int
    values: Mapping[str, Any]
    state: State = "unfinished"
    score: float | None = None
    epochs: tuple[float, ...] = field(default=())
    reason: str = ""
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{self.number:04}"


def find_best(trials: Sequence[Trial], monitor: tuple[str, str]) -> Trial | None:
    """The finished trial with the best score, the first of equal ones; None if there is none.

    Args:
        trials: by their numbers.
        monitor: what they are compared by, and `min` or `max`.
    """
    best: Trial | None = None
    for trial in trials:
        if trial.score is None:
            continue
        if best is None or best.score is None or is_better(trial.score, best.score, monitor):
            best = trial
    return best


def is_better(score: float, other: float, monitor: tuple[str, str]) -> bool:
    """Whether a score is better than another one.

    Example:
        >>> is_better(0.1, 0.2, ("val_loss", "min")), is_better(0.1, 0.2, ("val_accuracy", "max"))
        (True, False)
    """
    return score < other if monitor[1] == "min" else score > other


def describe(trial: Trial, monitor: tuple[str, str]) -> str:
    """A trial in a line.

    Example:
        >>> describe(Trial(3, {"model.dropout": 0.25}, "finished", 0.91, seconds=66), ("val_x", "max"))
        'trial 3  val_x 0.91  model.dropout=0.25  1.1 minutes'
    """  # noqa: E501  an example on one line
    values = "  ".join(f"{key}={show_value(value)}" for key, value in trial.values.items())
    outcome = {
        "finished": f"{monitor[0]} {trial.score or 0.0:.4g}",
        "pruned": f"pruned after epoch {len(trial.epochs)}",
        "failed": f"failed: {trial.reason}",
        "unfinished": "unfinished",
    }
    minutes = f"{trial.seconds / 60:.1f} minutes"
    return "  ".join([f"trial {trial.number}", outcome[trial.state], values, minutes])


def show_value(value: Any) -> str:
    """A value of a setting, short: `0.00123`, `{kind: max}`.

    Example:
        >>> show_value(0.0012345678), show_value({"kind": "max", "words": True})
        ('0.001235', '{kind: max, words: true}')
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {show_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(show_value, value)) + "]"
    return value_text(value)
