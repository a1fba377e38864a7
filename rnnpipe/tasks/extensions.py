"""Metrics and report items that other packages add to every task."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.plugins import find_plugins, load_plugin
from rnnpipe.report.items import ReportItem

METRICS, REPORT_ITEMS = "rnnpipe.metrics", "rnnpipe.report_items"
"""Groups of entry points."""

Predictions = Sequence[Mapping[str, Any]]
"""The rows of `predictions.jsonl` of a split."""

Metric = Callable[[Predictions], Mapping[str, float]]
"""A metric of another package: from the predictions of a split to scores by name."""

ReportItemMaker = Callable[[Predictions, Mapping[str, float]], ReportItem]
"""A report item of another package: from the predictions and scores of a split."""


def check_names(group: str, names: Sequence[str], key: str) -> None:
    """Checks that a package is installed for each name.

    Args:
        group: the group of entry points.
        names: theirs.
        key: the setting that has them, for messages.

    Raises:
        UserError: there is none of a name.
    """
    plugins = find_plugins(group) if names else {}
    for name in names:
        if name not in plugins:
            expected = ", ".join(plugins) or f"a name that a package gives as {group}"
            raise UserError(key, expected, name, "install the package that has it, or correct it")


def add_scores(
    names: Sequence[str], predictions: Predictions, scores: Mapping[str, float]
) -> dict[str, float]:
    """The scores of an evaluation, and those of the metrics with these names.

    Raises:
        UserError: a metric gives a score that is there.
    """
    scores = dict(scores)
    plugins = find_plugins(METRICS) if names else {}
    for name in names:
        more = load_plugin(plugins[name])(predictions)
        if twice := scores.keys() & more.keys():
            got, fix = f"{min(twice)} twice", "leave one of the metrics out"
            raise UserError(f"evaluate.metrics: {name}", "scores of names of its own", got, fix)
        scores |= {score: float(value) for score, value in more.items()}
    return scores


def make_plugin_items(
    names: Sequence[str], predictions: Predictions, scores: Mapping[str, float]
) -> list[ReportItem]:
    """The report items with these names."""
    plugins = find_plugins(REPORT_ITEMS) if names else {}
    return [load_plugin(plugins[name])(predictions, scores) for name in names]
