"""Interrupted runs, continued."""

from pathlib import Path

from rich.console import Console

from rnnpipe.runs.checks import check_same_records
from rnnpipe.runs.config import load_run_config, note_edits
from rnnpipe.runs.contents import read_environment
from rnnpipe.runs.differences import compare_settings
from rnnpipe.runs.directory import RunDirectory, open_interrupted
from rnnpipe.runs.ensemble import open_members
from rnnpipe.runs.environment import MACHINE, describe_environment
from rnnpipe.runs.evaluate import evaluate_run
from rnnpipe.runs.holding import holding_records
from rnnpipe.runs.interruption import resumable
from rnnpipe.runs.language_model import open_language_model
from rnnpipe.runs.records import find_records
from rnnpipe.runs.train import finish_training
from rnnpipe.storage.atomic import json_text
from rnnpipe.tasks import make_task


def resume(path: Path, console: Console, *, evaluate: bool = True) -> RunDirectory:
    """Continues an interrupted run: its training, where that is not finished, and its evaluation.

    It ends as it would have without the interruption; what was not done of an epoch is done again.
    Of what changed since, other records and another training are refused; another place, other
    settings of the evaluation, other versions and another machine are noted.

    Args:
        path: the run's folder, or that of several: the one begun last of those interrupted.
        console: where progress and scores are shown.
        evaluate: whether it is evaluated too.

    Raises:
        UserError: there is no such run, a file of it is damaged, its records are gone, damaged,
            others or being replaced, or another process works on it.
    """
    run = open_interrupted(path)
    config = load_run_config(run)
    task = make_task(config)
    with run.lock():
        if run.model.exists():
            run.forget_training()  # it may have ended before that
            console.print(f"Resuming {run.path}: it is trained")
            if evaluate:
                with resumable(run):
                    evaluate_run(run, console)
            return run
        open_members(config, task)
        open_language_model(config)
        task.check_model()
        records = find_records(config, task)
        check_same_records(run, records, "train anew with `rnnpipe train`")
        with holding_records(records, console):
            console.print(f"Resuming {run.path}")
            for notice in [*note_edits(run), *_note_environment(run)]:
                console.print(f"Note: {notice}", style="yellow")
            finish_training(config, task, records, run, console)
        if evaluate:
            with resumable(run):
                evaluate_run(run, console, records=records)
    return run


def _note_environment(run: RunDirectory) -> list[str]:
    """Notes in the run where it goes on; a notice if that is not where it was interrupted."""
    environment, now = read_environment(run), describe_environment()
    resumed = environment.get("resumed", [])
    before = resumed[-1] if resumed else environment
    text = json_text({**environment, "resumed": [*resumed, now]})
    run.seal.write_text(run.environment, text)
    old, new = ({part: each.get(part) for part in MACHINE} for each in (before, now))
    differences = ", ".join(compare_settings(old, new))
    result = "weights may differ from those without the interruption"
    return [f"not where it was interrupted ({differences}): {result}"] if differences else []
