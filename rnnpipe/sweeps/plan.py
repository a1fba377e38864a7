"""What a sweep is: its config, what is varied, and how trials are compared."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.config.dump import dump_config, dump_settings
from rnnpipe.config.loader import change_settings, load_config, load_settings
from rnnpipe.config.overrides import Overrides
from rnnpipe.errors import UserError
from rnnpipe.quiet import quiet_import
from rnnpipe.setting_paths import make_paths_absolute
from rnnpipe.storage.atomic import atomic_path, write_json, write_text
from rnnpipe.sweeps.directory import SweepDirectory
from rnnpipe.sweeps.space import Space
from rnnpipe.tasks import find_schemas, make_task
from rnnpipe.tasks.run_config import RunConfig


@dataclass(frozen=True)
class Plan:
    """What a sweep is.

    Args:
        base: the config, or its file.
        overrides: settings written over it.
        space: what is varied; None: only the seed.
    """

    base: Path | RunConfig
    overrides: Overrides
    space: Space | None

    def load_config(self, values: Mapping[str, Any] | None = None) -> RunConfig:
        """The config of a trial, with absolute paths.

        Args:
            values: its values by key; None: the config without any.

        Raises:
            UserError: as `Faults`, everything that is wrong with it.
        """
        overrides, values = self.overrides, values or {}
        if isinstance(overrides, Mapping):
            overrides = {**overrides, **values}
        else:
            overrides = [*overrides, *(f"{key}={json.dumps(values[key])}" for key in values)]
        if isinstance(self.base, RunConfig):
            return make_paths_absolute(change_settings(self.base, overrides))
        return make_paths_absolute(load_config(self.base, find_schemas(), overrides))

    @cached_property
    def config(self) -> RunConfig:
        """The config without the values of a trial."""
        return self.load_config()

    @cached_property
    def monitor(self) -> tuple[str, str]:
        """The quantity by which trials are compared, and `min` or `max`."""
        with quiet_import():
            return make_task(self.config).monitor()

    def check(self) -> None:
        """Loads the config with every value that can be tried by itself.

        Raises:
            UserError: it refuses one, or trials could not be compared.
        """
        _ = self.config
        if self.space is None:
            return
        for key in self.space.parameters:
            if "train.keep_best.metric".startswith(key):
                expected, fix = "settings that scores do not depend on", "set it in the config"
                raise UserError(f"parameters.{key}", expected, "what trials are compared by", fix)
        for key, value in self.space.limits:
            try:
                self.load_config({key: value})
            except UserError as fault:
                raise UserError(
                    f"parameters.{key}", fault.expected, fault.got, fault.fix
                ) from fault

    def keep(self, directory: SweepDirectory) -> "Plan":
        """The plan in the folder of its sweep: written there, or compared with what is there.

        Raises:
            UserError: the folder is another sweep's, or holds something else.
        """
        text = self._text
        if directory.plan.exists():
            kept = directory.config.read_text(encoding="utf-8") == text
            if not (kept and directory.read_plan() == self._content):
                got = "another config" if not kept else "other overrides or another search space"
                fix = "name another folder with --output"
                expected = "the folder of this sweep, or a new one"
                raise UserError(str(directory.path), expected, f"one of {got}", fix)
        else:
            _make_folder(directory, text, self._content)
        return replace(self, base=directory.config)

    @property
    def _text(self) -> str:
        if isinstance(self.base, RunConfig):
            return dump_config(self.base)
        return self.base.read_text(encoding="utf-8-sig")

    @property
    def _content(self) -> dict[str, Any]:
        is_mapping = isinstance(self.overrides, Mapping)
        content = {
            "overrides": self.overrides if is_mapping else list(self.overrides),
            "space": None if self.space is None else dump_settings(self.space),
        }
        read: dict[str, Any] = json.loads(json.dumps(content, default=str))
        return read

    @classmethod
    def load(cls, directory: SweepDirectory) -> "Plan":
        """The plan of a sweep.

        Raises:
            UserError: the folder has none, or a damaged one.
        """
        content = directory.read_plan()
        space = content["space"]
        read = None if space is None else load_settings(Space, space)
        return cls(directory.config, content["overrides"], read)


def _make_folder(directory: SweepDirectory, text: str, content: Mapping[str, Any]) -> None:
    path = directory.path
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        got = "a folder with other files" if path.is_dir() else "a file"
        raise UserError(str(path), "a new or an empty folder", got, "name another with --output")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as unfinished:
        made = SweepDirectory(unfinished)
        made.trials.mkdir(parents=True)
        write_text(made.config, text)
        write_json(made.plan, content)
