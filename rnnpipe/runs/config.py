"""The config that a run was made with."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rnnpipe.config.dump import dump_settings
from rnnpipe.config.loader import load_config
from rnnpipe.config.overrides import Overrides
from rnnpipe.errors import UserError
from rnnpipe.runs.contents import read_environment
from rnnpipe.runs.differences import compare_settings, flatten_settings
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.setting_paths import replace_paths
from rnnpipe.tasks import find_schemas
from rnnpipe.tasks.run_config import RunConfig

_FREE = ("build", "evaluate")
"""Sections that no training depends on."""

_SHOWN = 3


def load_run_config(run: RunDirectory, overrides: Overrides = ()) -> RunConfig:
    """The resolved config in a run's folder, with settings written over it.

    Args:
        run: the run, or one of its evaluations.
        overrides: the settings.

    Raises:
        UserError: the file is missing or damaged, or was edited where a training depends on it.
    """
    if not run.seal.holds(run.config):
        refused, _ = _find_edits(run)
        if refused:
            more = f" and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
            raise _refuse(run, f"another one ({', '.join(refused[:_SHOWN])}{more})")
    return load_config(run.config, find_schemas(), overrides)


def note_edits(run: RunDirectory) -> list[str]:
    """A notice if the config of a run was edited in what no training depends on.

    That is where its data is, how it is built and how the run is evaluated.
    """
    if run.seal.holds(run.config):
        return []
    _, edits = _find_edits(run)
    return [f"{run.config} was edited: {', '.join(edits)}"] if edits else []


def _find_edits(run: RunDirectory) -> tuple[list[str], list[str]]:
    """What differs from the config that the run began with: what must not, and what may."""
    if not run.seal.expects(run.environment):  # of an evaluation
        run.seal.check(run.config)
    began = read_environment(run)["settings"]
    try:
        config = load_config(run.config, find_schemas())
    except UserError as fault:
        text, _, more = str(fault).partition("\n")
        raise _refuse(run, f"a damaged one ({text}{'; and more' if more else ''})") from fault
    now = dump_settings(config)
    free = set(_find_free_keys(config))
    edits = list(compare_settings(began, now))
    allowed = [edit for edit in edits if edit.partition(" ")[0] in free]
    return [edit for edit in edits if edit not in allowed], allowed


def _find_free_keys(config: RunConfig) -> Iterator[str]:
    """The keys of paths, and those of sections that no training depends on."""
    without_paths = dict(_flatten(replace_paths(config, lambda path: Path("elsewhere"))))
    for key, value in _flatten(config):
        if key.partition(".")[0] in _FREE or without_paths[key] != value:
            yield key


def _flatten(config: RunConfig) -> Iterator[tuple[str, Any]]:
    return flatten_settings(dump_settings(config))


def _refuse(run: RunDirectory, got: str) -> UserError:
    fix = "write it as it was, or train anew"
    return UserError(str(run.config), "the config that the run began with", got, fix)


def check_overrides(overrides: Overrides, starts: tuple[str, ...], expected: str) -> None:
    """Checks that settings are such as may differ from those of a trained run.

    Args:
        overrides: by key, or texts as `--set` takes them.
        starts: how the keys may begin.
        expected: what they are, for messages.

    Raises:
        UserError: one is another key.
    """
    for override in overrides:
        key = override.partition("=")[0]
        if not f"{key}.".startswith(starts):
            is_value = isinstance(overrides, Mapping)
            where = f"overrides[{key!r}]" if is_value else f"--set {key}"
            raise UserError(where, expected, key, "train another run for other settings")
