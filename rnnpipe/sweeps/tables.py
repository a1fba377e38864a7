"""The tables of a sweep: its trials, the shares of its settings, the means over seeds."""

from collections.abc import Mapping, Sequence

from rnnpipe.report.items import Cell, Table
from rnnpipe.sweeps.trial import Trial, find_best, show_value

Means = Mapping[str, Mapping[str, tuple[float, float]]]
"""By split and metric, the mean and the standard deviation."""


def tabulate_trials(trials: Sequence[Trial], monitor: tuple[str, str]) -> Table:
    """All trials, the best first, then those that were stopped, and those that failed.

    Args:
        trials: the trials.
        monitor: what they are compared by, and `min` or `max`.
    """
    keys = list(dict.fromkeys(key for trial in trials for key in trial.values))
    rows = [_describe(trial, keys) for trial in _rank(trials, monitor)]
    best = find_best(trials, monitor)
    columns = ("trial", monitor[0], "state", "epochs", *keys, "minutes")
    return Table("Trials", columns, rows, highlight=None if best is None else 0)


def _rank(trials: Sequence[Trial], monitor: tuple[str, str]) -> list[Trial]:
    sign = 1 if monitor[1] == "min" else -1
    states = ("finished", "pruned", "unfinished", "failed")

    def order(trial: Trial) -> tuple[int, float, int]:
        return states.index(trial.state), sign * (trial.score or 0.0), trial.number

    return sorted(trials, key=order)


def _describe(trial: Trial, keys: Sequence[str]) -> list[Cell]:
    values = [show_value(trial.values[key]) if key in trial.values else "" for key in keys]
    state = f"{trial.state}: {trial.reason}" if trial.reason else trial.state
    epochs = len(trial.epochs) or None
    return [str(trial.number), trial.score, state, epochs, *values, f"{trial.seconds / 60:.1f}"]


def tabulate_shares(shares: Mapping[str, float]) -> Table:
    """How much of the scores' variance each setting explains, the greatest first.

    Args:
        shares: by setting.
    """
    note = "By the variance of a random forest over all finished trials (Hutter et al. 2014)."
    rows = list(shares.items())
    return Table("Share of the variance", ("setting", "share"), rows, note=note)


def tabulate_means(means: Means) -> Table:
    """Mean and standard deviation of every metric over runs with other seeds.

    Args:
        means: of each split and metric.
    """
    rows = [
        (f"{split} {name}", mean, deviation)
        for split, metrics in means.items()
        for name, (mean, deviation) in metrics.items()
    ]
    note = "The deviation is that of a sample; of the mean it is smaller by the root of the runs."
    return Table("Means over the seeds", ("", "mean", "deviation"), rows, note=note)
