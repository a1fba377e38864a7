"""Resuming an interrupted run."""

import json
from pathlib import Path

from rich.console import Console

from rnnpipe.errors import UserError
from rnnpipe.runs.build import find_records
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.directory import RunDirectory, open_interrupted, write_json
from rnnpipe.runs.environment import describe_environment
from rnnpipe.runs.evaluate import evaluate_run
from rnnpipe.runs.progress import fetch_records
from rnnpipe.runs.train import finish_training
from rnnpipe.tasks import make_task


def resume(path: Path, console: Console) -> RunDirectory:
    """Continues an interrupted training, evaluates and reports.

    It ends as it would have without the interruption; what was not done of an epoch is done again.

    Args:
        path: the run's folder, or that of several: the newest that was interrupted.
        console: where progress and scores are shown.

    Raises:
        UserError: there is no such run, its records are gone or not the same any more, or another
            process trains it.
    """
    run = open_interrupted(path)
    config = load_run_config(run)
    task = make_task(config)
    task.check_model()
    records = find_records(config, task)
    environment = json.loads(run.environment.read_text())
    if environment["records"] != records.fingerprint:
        raise UserError(
            str(run.path),
            "the records that the training began with",
            f"others in {records.published}",
            "train anew with `rnnpipe train`",
        )
    fetch_records(records, console)
    console.print(f"Resuming {run.path}")
    with run.lock():
        resumed = [*environment.get("resumed", []), describe_environment()]
        write_json(run.environment, {**environment, "resumed": resumed})
        finish_training(config, task, records, run, console)
    evaluate_run(run, console, records=records)
    return run
