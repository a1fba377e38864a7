"""The predictions of several runs for the same records of a split."""

import json
import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.metrics.bootstrap import PairedBootstrap, paired_bootstrap
from rnnpipe.metrics.corpus import Array, CorpusMetric
from rnnpipe.runs.compared_run import ComparedRun, Row

_TOLERANCE = 1e-4  # of float32 and of rounded numbers in predictions

Counts = Sequence[Sequence[float] | None]
"""The statistics of each record, see `CorpusMetric`."""


@dataclass(frozen=True)
class PairedSplit:
    """A split that several runs were evaluated on.

    Args:
        split: its name.
        rows: by run, the rows of predictions of the records that all runs have, in one order.
        totals: by run, how many records it has.
        metrics: the main one first, with the intervals of all runs on these records.
        record_scores: how good the answers are, `(runs, records)`, higher where better; NaN for
            records that have no part in the main metric. None where the task declares no such
            metrics; there are no rows then.
    """

    split: str
    rows: Sequence[Sequence[Row]]
    totals: Sequence[int]
    metrics: Mapping[str, PairedBootstrap]
    record_scores: Array | None

    @property
    def records(self) -> int:
        """How many records all runs have."""
        return len(self.rows[0])


def find_splits(runs: Sequence[ComparedRun], split: str | None) -> list[str]:
    """The splits that all runs were evaluated on, or the one that is named.

    Raises:
        UserError: there is none, or it is none of them.
    """
    shared = [name for name in runs[0].metrics if all(name in run.metrics for run in runs)]
    fix = "evaluate a run with `--set evaluate.splits=[…]`, and name that evaluation"
    if split is not None and split not in shared:
        lacking = [run.label for run in runs if split not in run.metrics]
        expected = "a split that all runs were evaluated on"
        expected += f" ({', '.join(shared)})" if shared else ""
        raise UserError("split", expected, f"{split}, which is not in {', '.join(lacking)}", fix)
    if not shared:
        got = "; ".join(f"{', '.join(run.metrics)} of {run.label}" for run in runs)
        raise UserError("compare", "a split that all runs were evaluated on", got, fix)
    return [split] if split is not None else shared


def pair_split(runs: Sequence[ComparedRun], split: str) -> PairedSplit:
    """Matches the records of a split and compares the metrics on those that all runs have.

    Args:
        runs: of one task.
        split: one that all were evaluated on.

    Raises:
        UserError: no record is in all of them, their metrics are not defined alike, or do not
            follow from their predictions.
    """
    metrics = _corpus_metrics(runs)
    totals = [len(run.predictions[split]) for run in runs]
    if not any(metrics):
        return PairedSplit(split, [()] * len(runs), totals, {}, None)
    places = _match(runs, split)
    rows = [
        [run.predictions[split][place] for place in order]
        for run, order in zip(runs, places, strict=True)
    ]
    compared: dict[str, PairedBootstrap] = {}
    scores: Array | None = None
    for by_run in zip(*metrics, strict=True):
        counts = [_count(run, split, metric) for run, metric in zip(runs, by_run, strict=True)]
        matched = [[each[i] for i in order] for each, order in zip(counts, places, strict=True)]
        statistics = [row for row in zip(*matched, strict=True) if None not in row]
        if by_run[0] is metrics[0][0]:  # the main one
            if not statistics:
                raise _no_shared(split, runs)
            scores = _score_records(runs, rows, matched)
        if not statistics:
            continue  # e.g. clips have no labels
        array = np.swapaxes(np.array(statistics, "float64"), 0, 1)
        compared[by_run[0].name] = paired_bootstrap(array, by_run[0].compute)
    return PairedSplit(split, rows, totals, compared, scores)


def _no_shared(split: str, runs: Sequence[ComparedRun]) -> UserError:
    fields = ", ".join(runs[0].task.record_fields)
    expected = f"scored records of {split} that all runs have, with the same {fields}"
    return UserError("compare", expected, "none", "evaluate the runs on the same records")


def _match(runs: Sequence[ComparedRun], split: str) -> list[list[int]]:
    """By run, the places of the rows of the records that all have, in the order of the first."""
    fields = runs[0].task.record_fields
    keyed = [
        {key: place for place, key in enumerate(_make_keys(run.predictions[split], fields))}
        for run in runs
    ]
    shared = [key for key in keyed[0] if all(key in keys for keys in keyed)]
    if not shared:
        raise _no_shared(split, runs)
    return [[keys[key] for key in shared] for keys in keyed]


def _make_keys(rows: Sequence[Row], fields: Sequence[str]) -> Iterator[Hashable]:
    """What a record is matched by: its fields, and which one it is of several that are alike."""
    seen: Counter[str] = Counter()
    for row in rows:
        content = json.dumps([row.get(field) for field in fields])
        yield content, seen[content]
        seen[content] += 1


def _corpus_metrics(runs: Sequence[ComparedRun]) -> list[Sequence[CorpusMetric]]:
    """By run, its metrics; they are defined alike."""
    metrics = [run.task.corpus_metrics() if run.task.record_fields else () for run in runs]
    definitions = [[(each.name, each.definition) for each in of_run] for of_run in metrics]
    for run, definition in zip(runs, definitions, strict=True):
        if definition != definitions[0]:
            expected, got = map(_describe, (definitions[0], definition))
            fix = "evaluate both runs alike, see their section evaluate"
            raise UserError(str(run.results.path), f"{expected}, as {runs[0].label}", got, fix)
    return metrics


def _describe(definitions: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name} ({what})" if what else name for name, what in definitions)


def _count(run: ComparedRun, split: str, metric: CorpusMetric) -> Counts:
    """The statistics of all rows of a run, from which its metric follows."""
    with run.reading_rows():
        counts = [metric.count(row) for row in run.predictions[split]]
        known = np.array([each for each in counts if each is not None], "float64")
    if len(known):
        expected = run.metrics[split].get(metric.name, math.nan)
        value = metric.compute(known.sum(axis=0))
        if not np.isclose(value, expected, _TOLERANCE, _TOLERANCE, equal_nan=True):
            got = f"those of {value:.6g}"
            what = f"the predictions of {metric.name} {expected:.6g} in {run.results.metrics.name}"
            raise UserError(str(run.results.predictions), what, got, run.fix)
    return counts


def _score_records(
    runs: Sequence[ComparedRun], rows: Sequence[Sequence[Row]], matched: Sequence[Counts]
) -> Array:
    """A field of each row or, where the task names none, the main metric of each record alone."""
    field, metric = runs[0].task.record_score, runs[0].task.corpus_metrics()[0]
    sign = -1.0 if metric.lower_is_better and not field else 1.0

    def score(row: Row, counts: Sequence[float] | None) -> float:
        if counts is None:
            return math.nan
        return sign * (row[field] if field else metric.compute(np.array(counts, "float64")))

    scores = []
    for run, of_run, counts in zip(runs, rows, matched, strict=True):
        with run.reading_rows():
            scores.append(np.array(list(map(score, of_run, counts)), "float64"))
    return np.stack(scores)
