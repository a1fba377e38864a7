"""A directory of finished records: opened, checked, read."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.records.codec import decode_example
from rnnpipe.records.copy import Copy, Progress
from rnnpipe.records.layout import (
    ANSWERS,
    CLIP_LABELS,
    DEAD_LETTERS,
    FINGERPRINT,
    LABELS,
    STATS,
    shard_name,
)
from rnnpipe.records.manifest import NotOurs
from rnnpipe.records.specs import RecordSpec, find_spec
from rnnpipe.records.tfrecord import read_tfrecord
from rnnpipe.storage.store_path import StorePath


@dataclass(frozen=True)
class RecordsDirectory:
    """A directory of finished records.

    Args:
        path: where it is. `RecordsDirectory.open` checks that it is one.
        copied: of which data set in an object store it is a copy, into which record files come as
            they are asked for; None: of none.
    """

    path: Path
    copied: Copy | None = None

    @classmethod
    def open(cls, path: Path) -> "RecordsDirectory":
        """The records in `path`; of those in an object store, a copy in the user's cache.

        Raises:
            UserError: there is no such directory, or it is not one of whole records.
        """
        if not path.is_dir():
            got = "a file" if path.exists() else "no such directory"
            raise UserError(str(path), "a records directory", got, "build it with `rnnpipe build`")
        try:
            copied = Copy.open(path) if isinstance(path, StorePath) else None
            directory = cls(copied.folder if copied else path, copied)
            directory._check()
        except UserError:
            raise
        except (OSError, ValueError, KeyError, TypeError, NotOurs) as error:
            raise UserError(
                str(path),
                "a records directory",
                f"a directory without whole records ({error})",
                "name the directory that `rnnpipe build` printed, or build it again",
            ) from error
        return directory

    def _check(self) -> None:
        _ = self.spec
        for split in self.splits:
            for name in self._shard_names(split):
                if not (self.copied.has(name) if self.copied else (self.path / name).is_file()):
                    raise ValueError(f"{name} is missing")

    @property
    def published(self) -> Path:
        """Where it was published."""
        return self.copied.origin if self.copied else self.path

    def fetch(self, progress: Progress = lambda done, total: None) -> None:
        """Copies the record files that are missing here, where it is the copy of a data set.

        Args:
            progress: called with the files there are and their total, unless none was missing.

        Raises:
            UserError: one is not as it was published, or the store refuses.
        """
        if self.copied:
            names = (name for split in self.splits for name in self._shard_names(split))
            self.copied.fetch(names, progress)

    @cached_property
    def stats(self) -> dict[str, Any]:
        """Counts, lengths, coverage and dead letters, as the build measured them."""
        return _read_json(self.path / STATS)

    @cached_property
    def fingerprint(self) -> str:
        """The hash of all that the records were made from."""
        return str(_read_json(self.path / FINGERPRINT)["fingerprint"])

    @cached_property
    def made_from(self) -> dict[str, Any]:
        """All that the records were made from: `settings`, `sources`, `code` and `libraries`."""
        content = _read_json(self.path / FINGERPRINT)
        return {part: value for part, value in content.items() if part != "fingerprint"}

    @cached_property
    def spec(self) -> RecordSpec:
        """The kind of record that it holds."""
        kind = self.stats["kind"]
        if (spec := find_spec(kind)) is None:
            raise ValueError(f"records of the unknown kind {kind!r}")
        return spec

    @cached_property
    def splits(self) -> Mapping[str, int]:
        """How many records each split has."""
        return {name: split["records"] for name, split in self.stats["splits"].items()}

    @cached_property
    def answers(self) -> list[str]:
        """The answers that `answer_ids` refer to."""
        answers: list[str] = json.loads((self.path / ANSWERS).read_text(encoding="utf-8"))
        return answers

    @cached_property
    def labels(self) -> list[str]:
        """The names of the classes that `label` or `frame_labels` refer to."""
        labels: list[str] = json.loads((self.path / LABELS).read_text(encoding="utf-8"))
        return labels

    @cached_property
    def clip_labels(self) -> list[str]:
        """The names of the classes that `clip_label` refers to."""
        labels: list[str] = json.loads((self.path / CLIP_LABELS).read_text(encoding="utf-8"))
        return labels

    def shards(self, split: str) -> list[Path]:
        """The record files of a split, in order; those that are not here are fetched.

        Raises:
            UserError: there is no such split, or a file cannot be fetched.
        """
        names = self._shard_names(split)
        if self.copied:
            self.copied.fetch(names)
        return [self.path / name for name in names]

    def _shard_names(self, split: str) -> list[str]:
        if split not in self.splits:
            raise UserError(
                str(self.published),
                f"a split called {split!r}",
                ", ".join(self.splits),
                "name one of those",
            )
        shards = len(self.stats["splits"][split]["shard_records"])
        return [shard_name(self.spec.name, split, shard, shards) for shard in range(shards)]

    def read(self, split: str, fields: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        """The records of a split, decoded one by one: for inspection, not for training.

        Args:
            split: which split.
            fields: which fields to decode; by default all, whatever is in them.
        """
        for shard in self.shards(split):
            for serialised in read_tfrecord(shard):
                yield decode_example(self.spec, serialised, fields)

    def dead_letters(self) -> Iterator[dict[str, str]]:
        """The raw records that were left out: `key`, `source`, `step` and `reason`."""
        with (self.path / DEAD_LETTERS).open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
