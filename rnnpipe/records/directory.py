"""A directory of finished records: opened, checked, published."""

import json
import os
import shutil
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.records.codec import decode_example
from rnnpipe.records.layout import (
    ANSWERS,
    CLIP_LABELS,
    DEAD_LETTERS,
    FINGERPRINT,
    LABELS,
    STATS,
    shard_name,
)
from rnnpipe.records.specs import SPECS, RecordSpec
from rnnpipe.records.tfrecord import read_tfrecord


@dataclass(frozen=True)
class RecordsDirectory:
    """A directory of finished records.

    Args:
        path: where it is. `RecordsDirectory.open` checks that it is one.
    """

    path: Path

    @classmethod
    def open(cls, path: Path) -> "RecordsDirectory":
        """The records in `path`.

        Raises:
            UserError: there is no such directory, or it is not one of whole records.
        """
        if not path.is_dir():
            got = "a file" if path.exists() else "no such directory"
            raise UserError(str(path), "a records directory", got, "build it with `rnnpipe build`")
        directory = cls(path)
        try:
            directory._check()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                str(path),
                "a records directory",
                f"a directory without whole records ({error})",
                "name the directory that `rnnpipe build` printed, or build it again",
            ) from error
        return directory

    def _check(self) -> None:
        if self.spec.name not in SPECS:
            raise ValueError(f"records of the unknown kind {self.spec.name!r}")
        for split in self.splits:
            for shard in self.shards(split):
                if not shard.is_file():
                    raise ValueError(f"{shard.name} is missing")

    @cached_property
    def stats(self) -> dict[str, Any]:
        """Counts, lengths, coverage and dead letters, as the build measured them."""
        return _read_json(self.path / STATS)

    @cached_property
    def fingerprint(self) -> str:
        """The hash of all that the records were made from."""
        return str(_read_json(self.path / FINGERPRINT)["fingerprint"])

    @cached_property
    def spec(self) -> RecordSpec:
        """The kind of record that it holds."""
        return SPECS[self.stats["kind"]]

    @cached_property
    def splits(self) -> Mapping[str, int]:
        """How many records each split has."""
        return {name: split["records"] for name, split in self.stats["splits"].items()}

    @cached_property
    def answers(self) -> list[str]:
        """The answers that `answer_ids` refer to."""
        answers: list[str] = json.loads((self.path / ANSWERS).read_text())
        return answers

    @cached_property
    def labels(self) -> list[str]:
        """The names of the classes that `label` or `frame_labels` refer to."""
        labels: list[str] = json.loads((self.path / LABELS).read_text())
        return labels

    @cached_property
    def clip_labels(self) -> list[str]:
        """The names of the classes that `clip_label` refers to."""
        labels: list[str] = json.loads((self.path / CLIP_LABELS).read_text())
        return labels

    def shards(self, split: str) -> list[Path]:
        """The record files of a split, in order.

        Raises:
            UserError: there is no such split.
        """
        if split not in self.splits:
            raise UserError(
                str(self.path),
                f"a split called {split!r}",
                ", ".join(self.splits),
                "name one of those",
            )
        shards = len(self.stats["splits"][split]["shard_records"])
        return [
            self.path / shard_name(self.spec.name, split, shard, shards) for shard in range(shards)
        ]

    def read(self, split: str, fields: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        """The records of a split, decoded one by one: for a look, not for training.

        Args:
            split: which split.
            fields: which fields to decode; by default all, whatever is in them.
        """
        for shard in self.shards(split):
            for serialised in read_tfrecord(shard):
                yield decode_example(self.spec, serialised, fields)

    def dead_letters(self) -> Iterator[dict[str, str]]:
        """The raw records that were left out: `key`, `source`, `step` and `reason`."""
        with (self.path / DEAD_LETTERS).open() as file:
            yield from map(json.loads, file)


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


@contextmanager
def publishing(path: Path) -> Iterator[Path]:
    """A folder to build in that becomes `path` when the block ends well, and vanishes when not.

    It lies beside `path`, so that one rename publishes it; records that were there before are
    replaced, anything else is refused. What a killed build left behind is removed.

    Raises:
        UserError: `path` is something else than records, or nothing can be written there.
    """
    check_replaceable(path)
    staging = path.with_name(f"{path.name}.incomplete-{socket.gethostname()}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        staging.mkdir()
    except OSError as error:
        raise UserError(
            str(path),
            "a place to write records to",
            str(error.strerror),
            "choose another directory",
        ) from error
    try:
        yield staging
        _replace(path, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def check_replaceable(path: Path) -> None:
    """Refuses a place that holds something else than records.

    Raises:
        UserError: `path` is a file, or a directory with other things in it.
    """
    if path.is_dir() and (not any(path.iterdir()) or (path / FINGERPRINT).is_file()):
        return
    if path.exists():
        raise UserError(
            str(path),
            "a records directory, an empty one or none",
            "a file" if path.is_file() else "a directory with other things in it",
            "choose another directory for the records",
        )


def _replace(path: Path, staging: Path) -> None:
    old = staging.with_name(f"{staging.name}-old")
    if path.exists():
        path.rename(old)
    staging.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _remove_leftovers(path: Path) -> None:
    """Removes the staging folders of builds on this host whose process is gone."""
    prefix = f"{path.name}.incomplete-{socket.gethostname()}-"
    for folder in path.parent.glob(f"{prefix}*"):
        pid = folder.name.removeprefix(prefix).removesuffix("-old")
        if pid.isdigit() and not _is_running(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    if pid == os.getpid():
        return False  # this process is only starting: the folder is a namesake's
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
