"""Evaluated runs of one task beside each other: scores, curves, disagreements, differences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from rnnpipe.errors import UserError
from rnnpipe.report.comparison import ComparisonPage
from rnnpipe.report.items import Table
from rnnpipe.report.notebook import table_html
from rnnpipe.report.page import write_page
from rnnpipe.runs.compared_run import ComparedRun, open_runs
from rnnpipe.runs.comparison_tables import (
    count_disagreements,
    show_disagreements,
    tabulate_all,
    tabulate_differences,
    tabulate_metric,
    tabulate_runs,
)
from rnnpipe.runs.paired_split import PairedSplit, find_splits, pair_split
from rnnpipe.runs.scores import print_table
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.storage.seal import find_seal

_SHOWN = 12  # digits of a fingerprint


@dataclass(frozen=True)
class Comparison:
    """Several runs of one task, compared; a notebook shows the tables of their main metric.

    Args:
        runs: what was compared.
        splits: by name, the records that all runs have, and the metrics on them.
        tables: of the main metric, one for each split.
        notices: what a reader must know of the comparison.
    """

    runs: Sequence[ComparedRun]
    splits: dict[str, PairedSplit]
    tables: Sequence[Table]
    notices: Sequence[str]

    def write(self, path: Path) -> None:
        """Writes the page.

        Args:
            path: an HTML file; one that is there is replaced.

        Raises:
            UserError: it is no place for a page, or the disk is full.
        """
        check_page(path)
        with report_full_disk("the comparison", path.parent, "make room, then compare again"):
            write_page(path, self._make_page())

    def _make_page(self) -> ComparisonPage:
        runs, task = self.runs, self.runs[0].task
        paired = [each for each in self.splits.values() if each.record_scores is not None]
        more = [
            tabulate_metric(runs, each, metric)
            for each in paired
            for metric in each.metrics
            if metric != task.main_metric
        ]
        return ComparisonPage(
            title=f"{task.name} · {len(runs)} runs",
            summary=f"{', '.join(run.label for run in runs)}, compared by {task.main_metric}.",
            scores=[*self.tables, *more],
            details=[tabulate_all(runs, split) for split in self.splits],
            histories={run.label: run.history for run in runs},
            best_epochs={run.label: run.best_epoch for run in runs},
            disagreements=[count_disagreements(runs, each) for each in paired],
            samples=[sample for each in paired for sample in show_disagreements(runs, each)],
            differences=[tabulate_runs(runs), *tabulate_differences(runs)],
            notices=self.notices,
        )

    def _repr_html_(self) -> str:
        return "".join(table_html(each.columns, each.rows, each.title) for each in self.tables)


def compare_runs(paths: Sequence[Path], split: str | None, console: Console) -> Comparison:
    """Compares evaluated runs, the first one with each of the others.

    Args:
        paths: their folders, see `open_runs`.
        split: the only split to compare; None for all that all runs were evaluated on.
        console: where the tables are printed.

    Raises:
        UserError: the runs cannot be compared: see `open_runs`, `find_splits` and `pair_split`.
    """
    runs = open_runs(paths)
    splits = {name: pair_split(runs, name) for name in find_splits(runs, split)}
    metric = runs[0].task.main_metric
    tables = [tabulate_metric(runs, paired, metric) for paired in splits.values()]
    notices = list(_note(runs, list(splits.values())))
    for table in tables:
        print_table(table, console)
    for notice in notices:
        console.print(f"Note: {notice}", style="yellow")
    return Comparison(runs, splits, tables, notices)


def _note(runs: Sequence[ComparedRun], splits: Sequence[PairedSplit]) -> Iterator[str]:
    task = runs[0].task
    fields = ", ".join(task.record_fields)
    for run in runs:
        if run.results.seal.expects(run.results.partial):
            yield f"{run.label} is an evaluation of a training that had not ended"
    if any(paired.record_scores is None for paired in splits):
        yield f"{task.name} declares no metrics of records: there are no intervals and no samples"
        return
    prints = dict.fromkeys(run.environment["records"][:_SHOWN] for run in runs)
    if len(prints) > 1:
        yield f"the runs have different records ({', '.join(prints)}), matched by {fields}"
    for paired in splits:
        if any(total != paired.records for total in paired.totals):
            of_runs = zip(paired.totals, runs, strict=True)
            totals = ", ".join(f"{total:,} of {run.label}" for total, run in of_runs)
            yield (
                f"of {paired.split}, {paired.records:,} records are in all runs, which alone are "
                f"compared ({totals}); baselines are of all records of their run"
            )


def check_page(path: Path) -> None:
    """Refuses, before any work, a file that no page should be written to.

    Raises:
        UserError: its name is no page's, its folder is missing, or it is in that of a run.
    """
    fix = "name another file"
    if path.suffix.lower() not in (".html", ".htm"):
        raise UserError(str(path), "a name that ends in .html", path.name, fix)
    if path.is_dir() or not path.parent.is_dir():
        got = "a folder" if path.is_dir() else f"no folder {path.parent}"
        raise UserError(str(path), "a file in a folder that is there", got, fix)
    if seal := find_seal(path.absolute()):
        raise UserError(str(path), "a file outside of runs", f"one in {seal.folder}", fix)
