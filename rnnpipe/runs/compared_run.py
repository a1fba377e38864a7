"""Evaluated runs that are compared: how they are opened, and what must agree."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.quiet import quiet_import
from rnnpipe.runs.contents import read_environment
from rnnpipe.runs.directory import RunDirectory, open_run
from rnnpipe.runs.history import find_best, read_history
from rnnpipe.runs.results import Results
from rnnpipe.tasks import make_task
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import RunConfig

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ComparedRun:
    """One of the runs that are compared.

    Args:
        label: its name among the others.
        results: its scores and predictions: the run's own, or those of one of its evaluations.
        run: the run itself.
    """

    label: str
    results: RunDirectory
    run: RunDirectory

    @cached_property
    def config(self) -> RunConfig:
        """Its resolved config."""
        return Results(self.results).config

    @cached_property
    def task(self) -> Task:
        """Its task."""
        with quiet_import():
            return make_task(self.config)

    @cached_property
    def metrics(self) -> Mapping[str, Mapping[str, float]]:
        """Its scores by split and metric."""
        return Results(self.results).metrics

    @cached_property
    def predictions(self) -> Mapping[str, Sequence[Row]]:
        """Its rows of predictions by split."""
        rows: dict[str, list[Row]] = {split: [] for split in self.metrics}
        with self.reading_rows():
            for row in Results(self.results).predictions:
                if row.get("split") not in (names := list(rows)):
                    raise ValueError(f"the split {row.get('split')!r:.100} is none of {names}")
                rows[row["split"]].append(row)
        return rows

    @contextmanager
    def reading_rows(self) -> Iterator[None]:
        """Has whatever reading rows of predictions raises be an error that names their file.

        Raises:
            UserError: rows lack a field, or hold in it what no evaluation writes.
        """
        try:
            yield
        except UserError:
            raise
        except KeyError as error:
            where, expected = str(self.results.predictions), f"rows with {error.args[0]}"
            raise UserError(where, expected, "one without it", self.fix) from error
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            where, got = str(self.results.predictions), f"{type(error).__name__}: {error}"
            expected = f"rows that an evaluation of {self.task.name} writes"
            raise UserError(where, expected, f"{got:.300}", self.fix) from error

    @property
    def fix(self) -> str:
        """What to do about results that do not go together."""
        return f"evaluate it again with `rnnpipe evaluate {self.run.path}`"

    @cached_property
    def history(self) -> Mapping[str, Sequence[float]]:
        """Losses and metrics by epoch."""
        return read_history(self.run, self.run.history)

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, whose weights were kept."""
        return find_best(self.history, self.task.monitor(), self.run.history) + 1

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Versions, machine and records."""
        return read_environment(self.run)


def open_runs(paths: Sequence[Path]) -> list[ComparedRun]:
    """The evaluated runs in some folders, of one task.

    Args:
        paths: the folders of runs, of several runs: then the newest that is trained, or of
            evaluations of runs.

    Raises:
        UserError: there are fewer than two, one is there twice, is damaged, was not evaluated or
            is of another task.
    """
    if len(paths) < 2:
        got = str(paths[0]) if paths else "none"
        raise UserError("compare", "two runs or more", got, "name another run")
    folders = [_open(path) for path in paths]
    resolved = [results.path.resolve() for results, _ in folders]
    for place, path in enumerate(resolved):
        if path in resolved[:place]:
            raise UserError(str(paths[place]), "a run that is not named yet", str(path), "drop it")
    labels = _make_labels(resolved)
    runs = [ComparedRun(label, *folder) for label, folder in zip(labels, folders, strict=True)]
    first = runs[0].task.name
    for run in runs:
        if run.task.name != first:
            expected = f"a run of {first}, as {runs[0].results.path}"
            got, fix = f"one of {run.task.name}", "compare runs of one task"
            raise UserError(str(run.results.path), expected, got, fix)
        # All files are checked.
        _ = run.metrics, run.predictions, run.history, run.best_epoch, run.environment
    return runs


def _open(path: Path) -> tuple[RunDirectory, RunDirectory]:
    """The folder of results, and that of their run."""
    folder, absolute = RunDirectory(path), path.absolute()
    if absolute.parent.name == "evaluations" and folder.config.is_file():
        return folder, RunDirectory(absolute.parent.parent)
    run = open_run(path)
    return run, run


def _make_labels(paths: Sequence[Path]) -> list[str]:
    """The paths of the folders from the last one that all are in."""
    parent = os.path.commonpath([path.parent for path in paths])
    return [path.relative_to(parent).as_posix() for path in paths]
