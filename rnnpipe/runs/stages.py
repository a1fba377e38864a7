"""Stages of a run, one after the other."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rnnpipe.quiet import quiet_import
from rnnpipe.runs.build import build_records
from rnnpipe.runs.checks import resolve_start
from rnnpipe.runs.create import check_runs_dir
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.ensemble import open_members
from rnnpipe.runs.interruption import resumable
from rnnpipe.runs.language_model import open_language_model
from rnnpipe.runs.records import find_records
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import RunConfig


def run_stages(
    config: RunConfig,
    task: Task,
    *,
    name: str,
    runs_dir: Path,
    console: Console,
    beam_args: Sequence[str] = (),
) -> RunDirectory:
    """Builds the records if they are missing or stale, trains, evaluates and reports.

    Args:
        config: the run's config.
        task: its task.
        name: the run's name.
        runs_dir: where run directories go.
        console: where progress and scores are shown.
        beam_args: Beam's own options for the build.

    Raises:
        UserError: the raw data, the config or a place to write to is not as it should be.
    """
    started = time.monotonic()
    check_runs_dir(runs_dir)
    config = resolve_start(config)
    open_members(config, task)  # a build may take hours
    open_language_model(config)
    task.check_model()
    records = build_records(config, task, console, beam_args)

    # TensorFlow is imported only here: a build has no need of it.
    with quiet_import():
        from rnnpipe.runs.evaluate import evaluate_run
        from rnnpipe.runs.train import train

    finished = train(config, task, records, name=name, runs_dir=runs_dir, console=console)
    with finished.lock(), resumable(finished):
        evaluate_run(finished, console, records=records)
    console.print(f"{(time.monotonic() - started) / 60:.1f} minutes in all")
    return finished


def train_on_records(
    config: RunConfig, task: Task, *, name: str, runs_dir: Path, console: Console
) -> RunDirectory:
    """Trains on finished records, without an evaluation; see `run_stages` for the arguments.

    Raises:
        UserError: the records are missing or stale, or a place to write to is not as it should be.
    """
    check_runs_dir(runs_dir)
    config = resolve_start(config)
    records = find_records(config, task)
    with quiet_import():
        from rnnpipe.runs.train import train

    trained = train(config, task, records, name=name, runs_dir=runs_dir, console=console)
    console.print(f"Trained model in {trained.path}")
    return trained
