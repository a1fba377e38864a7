"""Ensembles of runs: trained runs that are evaluated and predict together.

`evaluate.ensemble` names the members. They are only read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnnpipe.config.dump import dump_settings
from rnnpipe.errors import UserError
from rnnpipe.runs.checks import read_files
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.contents import read_environment
from rnnpipe.runs.differences import compare_settings
from rnnpipe.runs.directory import RunDirectory, find_runs
from rnnpipe.setting_paths import make_paths_absolute
from rnnpipe.storage.paths import local_path
from rnnpipe.storage.seal import Checksum
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import RunConfig

_KEY = "evaluate.ensemble"


def open_members(config: RunConfig, task: Task) -> list[RunDirectory]:
    """The runs that `evaluate.ensemble` names.

    Args:
        config: of the run that they are members beside.
        task: its task.

    Raises:
        UserError: one of them is no trained run, is of another task, reads its inputs in another
            way, or is named twice; or the task has no ensembles.
    """
    if config.evaluate.ensemble and not task.softmax_outputs:
        expected = f"no runs: the task {task.name} has no ensembles"
        raise UserError(_KEY, expected, str(len(config.evaluate.ensemble)), "remove the key")
    members = [_open_member(path, config, task) for path in config.evaluate.ensemble]
    places = [member.path.resolve() for member in members]
    for member, place in zip(members, places, strict=True):
        if places.count(place) > 1:
            raise _refuse(member.path, "each run once", "the same run twice", "name it once")
    return members


def open_ensemble(config: RunConfig, task: Task, run: RunDirectory) -> list[RunDirectory]:
    """A run, and the members that its config names.

    Args:
        config: the run's config, maybe with other settings of `evaluate`.
        task: its task.
        run: the run, trained.

    Raises:
        UserError: as `open_members`, a member is the run itself, or has another vocabulary.
    """
    members = open_members(config, task)
    for member in members:
        if member.path.resolve() == run.path.resolve():
            fix = "leave it out: a run is part of its ensemble"
            raise _refuse(member.path, "another run than this one", "the run itself", fix)
    if members:
        check_vocabularies(members, read_files(run.seal.check(run.vocabulary)))
    return [run, *members]


def check_vocabularies(members: Sequence[RunDirectory], vocabulary: Mapping[Path, bytes]) -> None:
    """Checks that members have the tokens, labels and answers of a run.

    Args:
        members: the members.
        vocabulary: the files of the run's folder `vocabulary`.

    Raises:
        UserError: one of them has others.
    """
    for member in members:
        files = read_files(member.seal.check(member.vocabulary))
        names = sorted(files.keys() | vocabulary.keys())
        if others := [str(name) for name in names if files.get(name) != vocabulary.get(name)]:
            fix = "name runs that were trained on the same records"
            got = f"another {', '.join(others)}"
            raise _refuse(member.path, "the vocabulary of this run", got, fix)


def pin_members(config: RunConfig, members: Sequence[RunDirectory]) -> RunConfig:
    """The config with the folders of these very runs: a folder of several has another newest later.

    Args:
        config: the config.
        members: what `open_members` returned for it.
    """
    paths = tuple(member.path for member in members)
    return replace(config, evaluate=replace(config.evaluate, ensemble=paths))


def describe_runs(runs: Sequence[RunDirectory]) -> list[dict[str, str]]:
    """The folder of each run and the SHA-256 of its model; JSON values."""
    described = []
    for run in runs:
        model = run.model if run.model.is_file() else run.weights  # a training may go on
        digest = Checksum.of(model).sha256
        described.append({"run": str(run.path.absolute()), "model_sha256": digest})
    return described


def note_other_records(runs: Sequence[RunDirectory]) -> list[str]:
    """A notice for each run that was trained on other records than the first."""
    own, *others = (read_environment(run)["records"] for run in runs)
    return [
        f"{member.path} was trained on other records: it may have seen what is scored here"
        for member, records in zip(runs[1:], others, strict=True)
        if records != own
    ]


def open_trained(key: str, path: Path) -> RunDirectory:
    """The trained run in a folder, or the newest one of several.

    Args:
        key: the key of a config that names it.
        path: the folder.

    Raises:
        UserError: there is none.
    """
    trained = [run for run in find_runs(local_path(key, str(path))) if run.model.is_file()]
    if not trained:
        got = "a folder without a trained model" if path.is_dir() else "no such folder"
        fix = "name folders of trained runs, or none"
        raise UserError(f"{key} {path}", "the folder of a trained run", got, fix)
    return trained[0]


def _open_member(path: Path, config: RunConfig, task: Task) -> RunDirectory:
    member = open_trained(_KEY, path)
    theirs = load_run_config(member)
    if theirs.task != config.task:
        fix = "name runs of one task"
        raise _refuse(path, f"a run of {config.task}", f"one of {theirs.task}", fix)
    inputs = (_preprocessing(each, task) for each in (config, theirs))
    if difference := next(compare_settings(*inputs), None):
        expected, got = "a run that reads the same inputs", f"data.{difference}"
        raise _refuse(path, expected, got, "name runs with the same settings of data")
    return member


def _preprocessing(config: RunConfig, task: Task) -> dict[str, Any]:
    """The settings by which a raw input becomes what the model reads."""
    data = dump_settings(make_paths_absolute(config.data))
    return {section: data[section] for section in task.preprocessing}


def _refuse(member: Path, expected: str, got: str, fix: str) -> UserError:
    return UserError(f"{_KEY} {member}", expected, got, fix)
