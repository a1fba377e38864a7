"""The page of a sweep."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnpipe.report.charts import Chart
from rnnpipe.report.page import write_page
from rnnpipe.report.scatter import ScatterAxis, ScatterPoint, draw_scatter
from rnnpipe.report.sweep import SweepPage
from rnnpipe.runs.history import find_best as find_best_epoch
from rnnpipe.runs.history import read_history
from rnnpipe.sweeps.directory import SweepDirectory
from rnnpipe.sweeps.plan import Plan
from rnnpipe.sweeps.space import Parameter
from rnnpipe.sweeps.tables import Means, tabulate_means, tabulate_shares, tabulate_trials
from rnnpipe.sweeps.trial import Trial, describe, find_best, show_value

_CURVES = 6  # trials whose histories are drawn: as many as there are colours


def write_sweep(
    directory: SweepDirectory,
    plan: Plan,
    trials: Sequence[Trial],
    shares: Mapping[str, float],
    means: Means,
) -> None:
    """Writes the page of a sweep.

    Args:
        directory: its folder.
        plan: what it is.
        trials: by their numbers.
        shares: of the scores' variance by setting; none where it is not known.
        means: of a sweep of seeds, the mean and deviation of every metric.
    """
    best = find_best(trials, plan.monitor)
    curves = _rank_finished(trials, plan.monitor)[:_CURVES]
    histories = {f"trial {t.number}": _read_history(directory, t) for t in curves}
    monitored = {name: history for name, history in histories.items() if history}
    tables = [tabulate_trials(trials, plan.monitor)]
    page = SweepPage(
        title=f"{plan.config.task} · {len(trials)} trials",
        summary=_summarize(trials, best, plan.monitor),
        tables=[tabulate_means(means), *tables] if means else tables,
        progress=list(_draw_progress(trials, plan.monitor)),
        settings=[] if plan.space is None else _draw_settings(trials, plan),
        shares=tabulate_shares(shares) if shares else None,
        histories=monitored,
        best_epochs={
            name: find_best_epoch(history, plan.monitor, Path(name)) + 1
            for name, history in monitored.items()
        },
        training_note=f"The best trials, at most {_CURVES}.",
        config_yaml=directory.best.read_text(encoding="utf-8") if directory.best.exists() else "",
    )
    write_page(directory.page, page)


def _summarize(trials: Sequence[Trial], best: Trial | None, monitor: tuple[str, str]) -> str:
    counts = [
        f"{count} {state}"
        for state in ("finished", "pruned", "failed", "unfinished")
        if (count := sum(trial.state == state for trial in trials))
    ]
    text = f"{', '.join(counts)}, compared by {monitor[0]}."
    return text if best is None else f"{text} The best: {describe(best, monitor)}."


def _rank_finished(trials: Sequence[Trial], monitor: tuple[str, str]) -> list[Trial]:
    finished = [trial for trial in trials if trial.score is not None]
    return sorted(finished, key=lambda trial: trial.score or 0.0, reverse=monitor[1] == "max")


def _read_history(directory: SweepDirectory, trial: Trial) -> Mapping[str, Sequence[float]]:
    run = directory.run_of(trial)
    return {} if run is None else read_history(run, run.history)


def _draw_progress(trials: Sequence[Trial], monitor: tuple[str, str]) -> Iterator[Chart]:
    """The scores in the order of the trials, if there are several."""
    points = _group(trials, monitor, lambda trial: trial.number)
    if sum(map(len, points.values())) > 1:
        yield draw_scatter(monitor[0], ScatterAxis("trial"), points)


def _draw_settings(trials: Sequence[Trial], plan: Plan) -> list[Chart]:
    """The scores by each setting."""
    charts = []
    for key, parameter in plan.space.parameters.items() if plan.space else ():
        place, axis = _make_axis(key, parameter)
        points = _group(trials, plan.monitor, lambda trial, k=key, p=place: p(trial.values[k]))
        if any(points.values()):
            charts.append(draw_scatter(plan.monitor[0], axis, points))
    return charts


def _make_axis(key: str, parameter: Parameter) -> tuple[Any, ScatterAxis]:
    """The place of a value on the axis of a setting, and the axis."""
    if parameter.kind != "choice":
        return float, ScatterAxis(key, log=getattr(parameter, "log", False))
    texts = [parameter.encode(value) for value in parameter.limits]
    names = [show_value(value) for value in parameter.limits]
    return lambda value: texts.index(parameter.encode(value)), ScatterAxis(key, names)


def _group(
    trials: Sequence[Trial], monitor: tuple[str, str], place: Any
) -> dict[str, list[ScatterPoint]]:
    """The points of finished trials, and of those that were stopped, by their best epoch."""
    groups: dict[str, list[ScatterPoint]] = {"finished": [], "pruned": []}
    best = min if monitor[1] == "min" else max
    for trial in trials:
        score = trial.score if trial.state == "finished" else best(trial.epochs, default=None)
        if trial.state in groups and score is not None:
            groups[trial.state].append(ScatterPoint(place(trial), score, describe(trial, monitor)))
    return {name: points for name, points in groups.items() if points}
