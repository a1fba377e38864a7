"""Sweeps: many trials of one config, made, continued and read."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rich.console import Console

from rnnpipe.config.overrides import Overrides
from rnnpipe.report.notebook import table_html
from rnnpipe.runs.results import Results
from rnnpipe.runs.scores import print_table
from rnnpipe.storage.atomic import write_text
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.sweeps.directory import SweepDirectory
from rnnpipe.sweeps.page import write_sweep
from rnnpipe.sweeps.plan import Plan
from rnnpipe.sweeps.scheduler import Scheduler
from rnnpipe.sweeps.space import Space
from rnnpipe.sweeps.tables import Means, tabulate_means, tabulate_trials
from rnnpipe.sweeps.trial import Trial, describe, find_best
from rnnpipe.tasks.run_config import RunConfig


@dataclass(frozen=True)
class Sweep:
    """Trials of one config, with drawn settings or other seeds; a notebook shows their table.

    Args:
        directory: its folder.
    """

    directory: SweepDirectory

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.directory.path

    @cached_property
    def plan(self) -> Plan:
        """The config and the search space."""
        return Plan.load(self.directory)

    @cached_property
    def trials(self) -> list[Trial]:
        """All trials by their numbers."""
        return self.directory.read_trials()

    @property
    def best(self) -> Trial | None:
        """The finished trial with the best score; None if none has finished."""
        return find_best(self.trials, self.plan.monitor)

    @property
    def page(self) -> Path:
        """The HTML page of all trials."""
        return self.directory.page

    @cached_property
    def metrics(self) -> dict[int, dict[str, dict[str, float]]]:
        """Of a sweep of seeds: by trial, split and metric, the scores of its run."""
        if self.plan.space is not None:
            return {}
        finished = [trial for trial in self.trials if trial.state == "finished"]
        runs = {trial.number: self.directory.run_of(trial) for trial in finished}
        return {number: Results(run).metrics for number, run in runs.items() if run}

    @property
    def means(self) -> Means:
        """Of a sweep of seeds: by split and metric, the mean and the standard deviation.

        The deviation is that of a sample, NaN for a single run.
        """
        rows = list(self.metrics.values())
        if not rows:
            return {}
        return {
            split: {
                name: _describe([row[split][name] for row in rows])
                for name in scores
                if all(name in row[split] for row in rows)
            }
            for split, scores in rows[0].items()
        }

    def _repr_html_(self) -> str:
        if self.plan.space is None:
            table = tabulate_means(self.means)
        else:
            table = tabulate_trials(self.trials, self.plan.monitor)
        return table_html(table.columns, table.rows, table.title)


def _describe(values: Sequence[float]) -> tuple[float, float]:
    deviation = statistics.stdev(values) if len(values) > 1 else float("nan")
    return statistics.fmean(values), deviation


def make_sweep(
    base: Path | RunConfig,
    overrides: Overrides,
    space: Space | None,
    *,
    trials: int,
    jobs: int,
    folder: Path,
    console: Console,
) -> Sweep:
    """Makes a sweep, or goes on with it where it was begun.

    Args:
        base: the config, or its file.
        overrides: settings written over it.
        space: what is drawn; None: each trial has the next seed, and is evaluated.
        trials: how many there are in the end.
        jobs: how many run at the same time.
        folder: of the sweep.
        console: where progress and results are shown.

    Raises:
        UserError: the config refuses values of the space, the folder is another sweep's, another
            process makes it, or the first trials fail.
    """
    if space is not None and (most := space.combinations) is not None:
        trials = min(trials, most)
    directory = SweepDirectory(folder)
    plan = Plan(base, overrides, space)
    plan.check()
    fix = "make room, and run the same command again"
    with report_full_disk("the sweep", folder, fix):
        plan = plan.keep(directory)
        with directory.lock():
            scheduler = Scheduler(directory, plan, jobs=jobs, console=console)
            try:
                scheduler.run(trials)
            except KeyboardInterrupt as stop:
                stop.add_note("to go on with the sweep, run the same command again")
                raise
            finally:
                sweep = Sweep(directory)
                _write_best(sweep)
                shares = scheduler.rank_parameters()
                write_sweep(directory, plan, sweep.trials, shares, sweep.means)
    _print_outcome(sweep, console)
    return sweep


def _write_best(sweep: Sweep) -> None:
    """Writes the config of the best trial, of those with drawn settings."""
    best = sweep.best
    if sweep.plan.space is None or best is None:
        return
    head = f"# The best trial of a sweep: {describe(best, sweep.plan.monitor)}\n"
    text = sweep.directory.config_of(best).read_text(encoding="utf-8")
    write_text(sweep.directory.best, head + text)


def _print_outcome(sweep: Sweep, console: Console) -> None:
    """Prints the means, or how the best config is run."""
    if means := sweep.means:
        print_table(tabulate_means(means), console)
    elif sweep.best is not None:
        console.print(f"The best config: rnnpipe run {sweep.directory.best}")
    console.print(f"Page: {sweep.page}")
