"""The tables and samples of a comparison of runs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rnnpipe.config.dump import dump_settings
from rnnpipe.metrics.bootstrap import Estimate, PairedBootstrap
from rnnpipe.metrics.corpus import Array
from rnnpipe.report.items import Cell, Gallery, Sample, Table
from rnnpipe.runs.compared_run import ComparedRun
from rnnpipe.runs.differences import flatten_settings
from rnnpipe.runs.environment import MACHINE
from rnnpipe.runs.paired_split import PairedSplit
from rnnpipe.runs.scores import baseline_names

_SAMPLES = 4  # of each kind of disagreement
_SMALL = 10  # metrics below have four decimals, larger ones two


def tabulate_metric(runs: Sequence[ComparedRun], paired: PairedSplit, metric: str) -> Table:
    """A metric of all runs, with intervals and differences, and of their baselines.

    Args:
        runs: what is compared.
        paired: a split of theirs.
        metric: the name of a metric.
    """
    split, bootstrap = paired.split, paired.metrics.get(metric)
    title, note = f"{metric} on {split}", ""
    rows: list[tuple[Cell, ...]] = [(run.label, run.metrics[split][metric]) for run in runs]
    if bootstrap is not None:
        rows = _show_bootstrap(runs, bootstrap)
        title += f", {paired.records:,} records; differences from {runs[0].label}"
        note = _EXPLANATION
    rows += _baselines(runs, split, metric)
    columns = ("", metric, "95 % interval", "difference", "95 % interval", "p")
    filled = [(*row, *[""] * (len(columns) - len(row))) for row in rows]
    return Table(title, columns, filled, note=note)


_EXPLANATION = (
    "By a paired bootstrap over records, 1,000 resamples: p is the share of resamples in which the "
    "difference is zero or has the other sign."
)


def _show_bootstrap(
    runs: Sequence[ComparedRun], bootstrap: PairedBootstrap
) -> list[tuple[Cell, ...]]:
    """Rows of runs: the metric and its interval, then the difference, its interval and p."""
    decimals = 4 if abs(bootstrap.scores[0].value) < _SMALL else 2
    rows: list[tuple[Cell, ...]] = []
    for run, score in zip(runs, bootstrap.scores, strict=True):
        rows.append((run.label, score.value, _show_interval(score, f".{decimals}f")))
    style = f"+.{decimals}f"
    for place, each in enumerate(bootstrap.differences, start=1):
        rows[place] += (format(each.value, style), _show_interval(each, style), f"{each.p:.3f}")
    return rows


def _show_interval(estimate: Estimate, style: str) -> str:
    return f"[{estimate.low:{style}}, {estimate.high:{style}}]"


def _baselines(runs: Sequence[ComparedRun], split: str, metric: str) -> Iterator[tuple[str, float]]:
    """Names and values of baselines; a line for each run where they are not the same for all."""
    names = dict.fromkeys(
        pair for run in runs for pair in baseline_names(metric, run.metrics[split]).items()
    )
    for label, name in names:
        values = {run.label: run.metrics[split][name] for run in runs if name in run.metrics[split]}
        if len(values) == len(runs) and len(set(values.values())) == 1:
            yield label, values[runs[0].label]
        else:
            yield from ((f"{label} ({run})", value) for run, value in values.items())


def tabulate_all(runs: Sequence[ComparedRun], split: str) -> Table:
    """All metrics side by side: a row for each, a column for each run."""
    names = dict.fromkeys(name for run in runs for name in run.metrics[split])
    rows = [(name, *(run.metrics[split].get(name) for run in runs)) for name in names]
    return Table(f"All metrics on {split}", ("", *(run.label for run in runs)), rows)


def count_disagreements(runs: Sequence[ComparedRun], paired: PairedSplit) -> Table:
    """How often each run is better than the first, worse, and as good."""
    scores = _known(paired)
    first, *others = scores
    binary = _is_binary(scores)
    rows: list[tuple[Cell, ...]] = []
    for run, other in zip(runs[1:], others, strict=True):
        counts = [int(np.sum(other > first)), int(np.sum(other < first))]
        same = other == first
        parts = (same & (first == 1), same & (first == 0)) if binary else (same,)
        rows.append((run.label, *counts, *(int(np.sum(part)) for part in parts)))
    label = runs[0].label
    columns: tuple[str, ...] = ("better", "worse", "equal")
    if binary:
        columns = ("it alone is right", f"{label} alone is right", "both right", "both wrong")
    title = f"Disagreements with {label} on {paired.split}"
    note = f"By the {_measure(runs, paired)} of each record alone."
    return Table(title, ("", *columns), rows, note=note)


def show_disagreements(runs: Sequence[ComparedRun], paired: PairedSplit) -> Iterator[Gallery]:
    """Samples of the records that a run and the first disagree about most, in both directions."""
    scores = _scores(paired)
    first, *others = scores
    binary = _is_binary(_known(paired))
    verdict = "{} is right, {} is wrong" if binary else "{} is better than {}"
    for run, other in zip(runs[1:], others, strict=True):
        with np.errstate(invalid="ignore"):  # of infinite scores
            gap = other - first
        directions = (run, runs[0], gap), (runs[0], run, -gap)
        for better, worse, difference in directions:
            order = np.argsort(-np.nan_to_num(difference, nan=0.0), kind="stable")[:_SAMPLES]
            places = [int(place) for place in order if difference[place] > 0]
            if places:
                title = f"{paired.split}: {verdict.format(better.label, worse.label)}"
                note = f"The largest differences of {_measure(runs, paired)} first."
                samples = [
                    _sample(runs, paired, place, _judge(scores[:, place], binary=binary))
                    for place in places
                ]
                yield Gallery(title, note, samples)


def _sample(
    runs: Sequence[ComparedRun], paired: PairedSplit, place: int, verdicts: Sequence[str]
) -> Sample:
    """A record, with the answers of all runs and a verdict on each."""
    row, task = paired.rows[0][place], runs[0].task
    with runs[0].reading_rows():
        name, *fields = (field for field in task.record_fields if row.get(field) is not None)
    facts = [(field.replace("_", " "), _show_value(row[field])) for field in fields]
    for run, rows, verdict in zip(runs, paired.rows, verdicts, strict=True):
        with run.reading_rows():
            answers = [
                _show_value(rows[place][field]) for field in task.answer_fields if field in row
            ]
        facts.append((run.label, f"{'; '.join(answers)} ({verdict})"))
    return Sample(f"{name.replace('_', ' ')} {_show_value(row[name])}", facts=facts)


def _judge(scores: Array, *, binary: bool) -> list[str]:
    """How good each answer is; of costs the sign was turned."""
    names = {1.0: "right", 0.0: "wrong"} if binary else {}
    return [
        "not scored" if np.isnan(score) else names.get(score, f"{abs(score):.3g}")
        for score in scores.tolist()
    ]


def _show_value(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " · ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _measure(runs: Sequence[ComparedRun], paired: PairedSplit) -> str:
    """By what answers are judged."""
    return runs[0].task.record_score or next(iter(paired.metrics))


def _scores(paired: PairedSplit) -> Array:
    assert paired.record_scores is not None
    return paired.record_scores


def _known(paired: PairedSplit) -> Array:
    """The scores of the records that have a part in the metric."""
    scores = _scores(paired)
    known: Array = scores[:, ~np.isnan(scores).any(axis=0)]
    return known


def _is_binary(scores: Array) -> bool:
    return bool(np.isin(scores, (0, 1)).all())


def tabulate_differences(runs: Sequence[ComparedRun]) -> list[Table]:
    """What differs between the configs of the runs, and between what they ran on."""
    configs = [dump_settings(run.config) for run in runs]
    ran_on = [{name: run.environment.get(name) for name in (*MACHINE, "records")} for run in runs]
    return [
        _tabulate(runs, "Settings that differ", configs, "The settings are the same."),
        _tabulate(
            runs,
            "Versions, machines and records that differ",
            ran_on,
            "Versions, machines and the fingerprints of the records are the same.",
        ),
    ]


def _tabulate(
    runs: Sequence[ComparedRun], title: str, groups: Sequence[Mapping[str, Any]], same: str
) -> Table:
    flat = [dict(flatten_settings(group)) for group in groups]
    rows = []
    for key in dict.fromkeys(key for each in flat for key in each):
        values = [_show_value(each[key]) if key in each else "" for each in flat]
        if len(set(values)) > 1:
            rows.append((key, *values))
    note = "" if rows else same
    return Table(title, ("", *(run.label for run in runs)), rows, note=note)


def tabulate_runs(runs: Sequence[ComparedRun]) -> Table:
    """Where each run is, when it began, how long it trained, and on which records."""
    columns = ("", "folder", "began", "epochs", "best epoch", "fingerprint of its records")
    rows = [
        (
            run.label,
            str(run.results.path),
            _show_value(run.environment.get("started", "")),
            max(map(len, run.history.values())),
            run.best_epoch,
            run.environment["records"],
        )
        for run in runs
    ]
    return Table("Runs", columns, rows)
