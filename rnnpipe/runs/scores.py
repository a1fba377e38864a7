"""The scores of a run, as a table."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Column
from rich.table import Table as TerminalTable

from rnnpipe.report.items import Table

Scores = Mapping[str, Mapping[str, float]]
"""By split, a number for every metric; those of baselines are `baseline/<name>/<metric>`."""

_BASELINE = "baseline/"


def score_table(metric: str, scores: Scores) -> Table:
    """One metric of the model, its ceiling and the baselines, a column for each split.

    Args:
        metric: its name.
        scores: of at least one split.

    Example:
        >>> table = score_table("accuracy", {"test": {"accuracy": 0.9, "baseline/a_b/accuracy": 0.5}})
        >>> table.columns, table.rows
        (('', 'test'), [('model', 0.9), ('baseline: a b', 0.5)])
    """  # noqa: E501  an example on one line
    names = {"model": metric, **baseline_names(metric, next(iter(scores.values())))}
    return Table(
        f"{metric} of the model and the baselines",
        ("", *scores),
        [(label, *(scores[split][name] for split in scores)) for label, name in names.items()],
        highlight=0,
    )


def baseline_names(metric: str, names: Iterable[str]) -> dict[str, str]:
    """The names of one metric of the ceiling and the baselines, by how tables call them.

    Args:
        metric: its name.
        names: of the scores of a split.

    Example:
        >>> baseline_names("accuracy", ["accuracy", "baseline/a_b/accuracy"])
        {'baseline: a b': 'baseline/a_b/accuracy'}
    """
    found = {}
    for name in names:
        if name == f"{metric}_ceiling":
            found["ceiling: the best possible answers"] = name
        elif name.startswith(_BASELINE) and name.endswith(f"/{metric}"):
            baseline = name.removeprefix(_BASELINE).removesuffix(f"/{metric}")
            found[f"baseline: {baseline.replace('_', ' ')}"] = name
    return found


def print_table(table: Table, console: Console) -> None:
    """Prints a table; floats have four places."""
    columns = [Column(str(name), overflow="fold") for name in table.columns]
    printed = TerminalTable(*columns, title=table.title, title_justify="left")
    for row in table.rows:
        cells = [f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row]
        printed.add_row(*cells)
    console.print(printed)
