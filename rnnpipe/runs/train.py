"""The second stage of a run: a model trained on finished records."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console

from rnnpipe.config.dump import dump_config, dump_settings
from rnnpipe.errors import Faults, UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.checks import check_training, read_vocabulary
from rnnpipe.runs.create import create_run
from rnnpipe.runs.directory import RunDirectory, find_runs
from rnnpipe.runs.ensemble import check_vocabularies, open_members, pin_members
from rnnpipe.runs.environment import describe_environment
from rnnpipe.runs.holding import holding_records
from rnnpipe.runs.interruption import resumable
from rnnpipe.runs.language_model import (
    match_tokens,
    open_language_model,
    pin_language_model,
)
from rnnpipe.runs.model import save_model
from rnnpipe.runs.start import StartWeights, describe_start, print_start
from rnnpipe.runs.tracking import Trackers, tracking
from rnnpipe.runs.training import RunTraining
from rnnpipe.setting_paths import make_paths_absolute
from rnnpipe.storage.atomic import json_text
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import RunConfig
from rnnpipe.training.divergence import Diverged
from rnnpipe.training.malloc import tune_malloc
from rnnpipe.training.precision import training_in


def train(
    config: RunConfig,
    task: Task,
    records: RecordsDirectory,
    *,
    name: str,
    runs_dir: Path,
    console: Console,
) -> RunDirectory:
    """Trains a model and saves it in a new run directory.

    Args:
        config: the run's config.
        task: its task.
        records: its finished records.
        name: the run's name.
        runs_dir: where run directories go.
        console: where progress is shown.

    Raises:
        UserError: the records are damaged or being replaced, they lack a split, no weight of
            `train.start` fits, a member of the ensemble or the language model does not fit, the run
            directory cannot be made, or the training fails.
    """
    members = open_members(config, task)
    language_model = open_language_model(config)
    config = pin_language_model(pin_members(config, members), language_model)
    task.check_model()
    with holding_records(records, console):
        check_training(config, task, records)
        check_vocabularies(members, read_vocabulary(records, task))
        if language_model is not None:
            match_tokens(language_model, records.path / task.output_tokenizer)
        start = _check_start(config, task, records, console)
        config = make_paths_absolute(config)
        note_interrupted(runs_dir / name, dump_config(config), console)
        run = _begin_run(runs_dir, name, config, records, start)
        with run.lock():
            finish_training(config, task, records, run, console)
    return run


def note_interrupted(folder: Path, config: str, console: Console) -> None:
    """Prints the last run of a folder with the same config whose training was interrupted."""
    for run in find_runs(folder):
        if (
            not run.model.exists()
            and run.config.read_bytes() == config.encode()
            and not run.is_locked
        ):
            note = f"{run.path} of the same config was interrupted; to go on with it:"
            console.print(f"Note: {note}\nrnnpipe resume {run.path}", style="yellow")
            return


def _check_start(
    config: RunConfig, task: Task, records: RecordsDirectory, console: Console
) -> tuple[StartWeights, dict[str, Any]] | None:
    """The weights of the run that it starts from, and what it takes of them, which is printed."""
    if config.train.start is None:
        return None
    weights = StartWeights.read(config.train.start)
    content = describe_start(weights, weights.check(task, records))
    print_start(content, console)
    return weights, content


def _begin_run(
    runs_dir: Path,
    name: str,
    config: RunConfig,
    records: RecordsDirectory,
    start: tuple[StartWeights, dict[str, Any]] | None,
) -> RunDirectory:
    """A new run's folder with all that `resume` needs, or none."""
    made_from = {"records": records.fingerprint, "records_from": records.made_from}

    def fill(run: RunDirectory) -> None:
        started = datetime.now(UTC).isoformat(timespec="microseconds")
        environment = {"started": started, **describe_environment(), **made_from}
        environment["settings"] = dump_settings(config)
        run.seal.begin()
        run.seal.write_text(run.environment, json_text(environment))
        if start is not None:
            start[0].save(run.start)
            run.seal.write_text(run.start_report, json_text(start[1]))
        run.seal.write_text(run.config, dump_config(config))

    fix = "make room, or choose another folder for runs"
    with report_full_disk("a run", runs_dir / name, fix):
        return create_run(runs_dir, name, fill)


def finish_training(
    config: RunConfig, task: Task, records: RecordsDirectory, run: RunDirectory, console: Console
) -> None:
    """Trains the model of a run, from its beginning or from where it was interrupted.

    Args:
        config: the run's config.
        task: its task.
        records: its finished records, held.
        run: where it goes; `run.lock` must be held.
        console: where progress is shown.

    Raises:
        UserError: the training fails, the disk is full, or what is in the folder is another
            model's. Where a loss became NaN, the best models before that are saved all the same.
    """
    tune_malloc()
    fix = f"make room, then continue with `rnnpipe resume {run.path}`"
    with (
        resumable(run),
        report_full_disk("the run", run.path, fix),
        tracking(config, run, console) as trackers,
        training_in(config.train.precision),
    ):
        diverged = _train_all(config, task, records, run, console, trackers)
    if diverged:
        fix = (
            f"the best model before that is saved: score it with `rnnpipe evaluate {run.path}`; or"
        )
        raise Faults(
            [
                UserError(fault.where, fault.expected, fault.got, f"{fix} {fault.fix}")
                for fault in diverged
            ]
        )


def _train_all(
    config: RunConfig,
    task: Task,
    records: RecordsDirectory,
    run: RunDirectory,
    console: Console,
    trackers: Trackers,
) -> list[Diverged]:
    """Trains and saves all models of a run; returns the trainings whose loss was not finite."""
    start = StartWeights.load(run.start) if run.seal.expects(run.start) else None
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    training = RunTraining(config, task, records, run, console, trackers, start)
    if run.seal.expects(run.vocabulary):
        run.seal.check(run.vocabulary)
    else:
        with run.seal.write(run.vocabulary) as unfinished:
            task.save_vocabulary(records, unfinished)
    training.pretrain()
    model = training.train_model()
    for phase in task.make_phases(model, records, run.weights):
        training.refine(phase)
    training.train_baselines()
    save_model(model, run.model)  # at the very end: a run with a model is trained
    run.forget_training()
    return training.diverged
