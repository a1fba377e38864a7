"""Checks before work that may take hours, and of what a run is scored on."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rnnpipe.errors import UserError, located
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.contents import read_environment
from rnnpipe.runs.differences import compare_settings
from rnnpipe.runs.directory import RunDirectory, open_run
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import RunConfig

_SHOWN = 3  # differences between records that a message lists


def check_splits(config: RunConfig, splits: Collection[str]) -> None:
    """Checks that there is what a run is trained, validated and scored on.

    Args:
        config: the run's config.
        splits: those that its records have.

    Raises:
        UserError: one of them is missing.
    """
    there = ", ".join(splits)
    for split in ("train", "validation"):
        if split not in splits:
            fix = "give it a share above 0, or name its files in data.source"
            raise UserError(f"data.splits.{split}", "a split to train with", f"only {there}", fix)
    missing = [split for split in config.evaluate.splits if split not in splits]
    if missing:
        expected, got = f"splits that the records have ({there})", ", ".join(missing)
        fix = f"name others, or give data.splits.{missing[0]} a share above 0"
        raise UserError("evaluate.splits", expected, got, fix)


def check_training(config: RunConfig, task: Task, records: RecordsDirectory) -> None:
    """Checks what a config asks of a training and of decoding against the records.

    Args:
        config: the run's config.
        task: its task.
        records: its records, fetched.

    Raises:
        UserError: a split is missing, the model lacks a layer that is to be fine-tuned, a warm-up
            takes longer than its training, or the task refuses the records.
    """
    check_splits(config, records.splits)
    task.check_records(records)
    if (fine_tuning := config.train.fine_tuning) is not None:
        task.build_trainer(task.build_model(records), records, fine_tuning)
    for key, schedule, steps in task.schedules(records):
        with located(key):
            schedule.check_steps(steps)


def resolve_start(config: RunConfig) -> RunConfig:
    """The config with the very run that it starts from, where it names a folder of several.

    Raises:
        UserError: there is no such run, or it has no weights.
    """
    start = config.train.start
    if start is None:
        return config
    try:
        run = open_run(start.path)
    except UserError as fault:
        where = f"train.start.path: {fault.where}"
        raise UserError(where, fault.expected, fault.got, fault.fix) from None
    load_run_config(run)
    train = replace(config.train, start=replace(start, path=run.path))
    return replace(config, train=train)


def check_same_records(run: RunDirectory, records: RecordsDirectory, fix: str) -> None:
    """Checks that records are those that a run was trained on.

    Args:
        run: the run.
        records: what its config leads to now.
        fix: what the user can do.

    Raises:
        UserError: they are others.
    """
    trained = read_environment(run)
    if trained["records"] == records.fingerprint:
        return
    differences = list(_find_differences(trained.get("records_from", {}), records.made_from))
    shown = ", ".join(differences[:_SHOWN]) or "another fingerprint"
    more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
    raise UserError(
        str(run.path),
        "the records that it was trained on",
        f"others in {records.published} ({shown}{more})",
        fix,
    )


def check_comparable_records(run: RunDirectory, records: RecordsDirectory, task: Task) -> str:
    """Checks that records have the examples and the vocabulary that a run was trained with.

    Those that another version of the code or of a library made again from the same raw data, by the
    same settings and with the same vocabulary, are comparable.

    Args:
        run: the run.
        records: what its config leads to now.
        task: its task.

    Returns:
        A notice, empty if they are the very same records.

    Raises:
        UserError: they are others.
    """
    trained = read_environment(run)
    if trained["records"] == records.fingerprint:
        return ""
    before, now = trained.get("records_from", {}), records.made_from
    vocabulary = run.seal.check(run.vocabulary)
    same = before != now and all(before.get(part) == now[part] for part in ("settings", "sources"))
    if not (same and read_vocabulary(records, task) == read_files(vocabulary)):
        check_same_records(run, records, "train anew, or bring back the records of the run")
    return "the records were made again, by other versions, since the run was trained on them"


def check_readable_records(run: RunDirectory, records: RecordsDirectory, task: Task) -> str:
    """Checks that other records are made as those of a run, with its vocabulary.

    Args:
        run: the run.
        records: of other raw data.
        task: its task, with the settings of that data.

    Returns:
        A notice, empty if they are the records of the run.

    Raises:
        UserError: a model of the run cannot read them.
    """
    trained = read_environment(run)
    if trained["records"] == records.fingerprint:
        return ""
    before, now = (
        {part: made.get("settings", {}).get(part) for part in ("kind", "recipe")}
        for made in (trained.get("records_from", {}), records.made_from)
    )
    differences = list(compare_settings(before, now))
    if not differences and read_vocabulary(records, task) != read_files(
        run.seal.check(run.vocabulary)
    ):
        differences = ["another vocabulary, which is made of the training split"]
    if differences:
        fix = "build them of the same training split, with the same settings"
        expected, got = "records that a model of the run reads", ", ".join(differences[:_SHOWN])
        raise UserError(str(records.published), expected, got, fix)
    return f"these are not the records that the run was trained on: {records.published}"


def read_vocabulary(records: RecordsDirectory, task: Task) -> dict[Path, bytes]:
    """The files that a run on these records has in its folder `vocabulary`."""
    with TemporaryDirectory() as folder:
        task.save_vocabulary(records, Path(folder))
        return read_files(Path(folder))


def read_files(folder: Path) -> dict[Path, bytes]:
    """What all files of a folder hold, by their paths in it."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _find_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What records were made from that differs, in words."""
    if before:
        yield from compare_settings(before.get("settings", {}), now.get("settings", {}))
    words = {"sources": "other raw data", "code": "another version of rnnpipe"}
    words["libraries"] = "other versions of libraries"
    yield from (text for part, text in words.items() if before and before[part] != now[part])
