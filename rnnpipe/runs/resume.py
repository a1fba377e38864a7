"""Interrupted runs, continued."""

import json
from pathlib import Path

from rich.console import Console

from rnnpipe.runs.checks import check_same_records
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.directory import RunDirectory, open_interrupted
from rnnpipe.runs.ensemble import open_members
from rnnpipe.runs.environment import describe_environment
from rnnpipe.runs.evaluate import evaluate_run
from rnnpipe.runs.holding import holding_records
from rnnpipe.runs.records import find_records
from rnnpipe.runs.train import finish_training
from rnnpipe.storage.atomic import write_json
from rnnpipe.tasks import make_task


def resume(path: Path, console: Console) -> RunDirectory:
    """Continues an interrupted run: its training, where that is not finished, and its evaluation.

    It ends as it would have without the interruption; what was not done of an epoch is done again.

    Args:
        path: the run's folder, or that of several: the one begun last of those interrupted.
        console: where progress and scores are shown.

    Raises:
        UserError: there is no such run, its records are gone, damaged, others or
            being replaced, or another process works on
            it.
    """
    run = open_interrupted(path)
    config = load_run_config(run)
    task = make_task(config)
    with run.lock():
        if run.model.exists():
            console.print(f"Resuming {run.path}: it is trained")
            evaluate_run(run, console)
            return run
        open_members(config, task)
        task.check_model()
        records = find_records(config, task)
        check_same_records(run, records, "train anew with `rnnpipe train`")
        with holding_records(records, console):
            console.print(f"Resuming {run.path}")
            environment = json.loads(run.environment.read_text(encoding="utf-8"))
            resumed = [*environment.get("resumed", []), describe_environment()]
            write_json(run.environment, {**environment, "resumed": resumed})
            finish_training(config, task, records, run, console)
        evaluate_run(run, console, records=records)
    return run
