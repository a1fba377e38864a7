"""A directory of finished records: opened, checked, read."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.records.copy import Copy
from rnnpipe.records.inventory import FIX, DamagedRecords, Inventory, Progress, no_progress
from rnnpipe.records.layout import (
    ANSWERS,
    CLIP_LABELS,
    DEAD_LETTERS,
    FINGERPRINT,
    LABELS,
    STATS,
    is_shard,
    shard_name,
)
from rnnpipe.records.limits import Limits, find_limits, read_record
from rnnpipe.records.manifest import HERE, MANIFEST, Manifest, NotOurs
from rnnpipe.records.names import read_names
from rnnpipe.records.specs import RecordSpec, find_spec
from rnnpipe.records.stats import check_stats
from rnnpipe.records.tfrecord import read_tfrecord
from rnnpipe.storage.json_files import MAX_BYTES, parse_json_as, validate
from rnnpipe.storage.lock import locking
from rnnpipe.storage.store_path import StorePath
from rnnpipe.storage.whole_files import read_whole

_UNREADABLE = (OSError, ValueError)


@dataclass(frozen=True)
class _Fingerprint:
    """What `fingerprint.json` must hold."""

    fingerprint: str


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

        All files but the record files are compared with the manifest in full, and these by their
        sizes; `check` reads them.

        Raises:
            UserError: there is no such directory, or it is in a store that refuses.
            DamagedRecords: it is not one of whole records.
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
        except (*_UNREADABLE, NotOurs) as error:
            got = f"a directory without whole records ({error})"
            fix = f"name the directory that `rnnpipe build` printed, or {FIX}"
            fault = UserError(str(path), "a records directory", got, fix)
            raise DamagedRecords([fault]) from error
        return directory

    @cached_property
    def inventory(self) -> Inventory:
        """What its files are to be."""
        if self.copied:
            return self.copied.inventory
        manifest = Manifest.read(self.path)
        if manifest is None:
            raise FileNotFoundError(f"{MANIFEST} is missing")
        if manifest.build != HERE:
            raise NotOurs(f"{MANIFEST} is that of an object store")
        return Inventory(self.path, manifest.files)

    def _check(self) -> None:
        inventory = self.inventory
        shards = {name for name in inventory.files if is_shard(name)}
        inventory.check(inventory.files.keys() - shards)
        if not self.copied:
            inventory.check(shards, in_full=False)
        check_stats(self.stats)
        _ = self.spec, self.fingerprint, self.made_from
        for name in (name for split in self.splits for name in self._shard_names(split)):
            if name not in inventory.files:
                raise ValueError(f"{name} is missing")

    def check(self, progress: Progress = no_progress) -> None:
        """Compares all files with the manifest; those that were read before by their times alone.

        Those of an object store are copied anew where the copy is damaged.

        Args:
            progress: called with the files there are and their total, if one is read or copied.

        Raises:
            DamagedRecords: files are missing, damaged or those of another data set.
        """
        if self.copied:
            self.copied.fetch(self.inventory.files, progress)
        else:
            self.inventory.check(self.inventory.files, progress=progress)

    def check_origin(self, progress: Progress = no_progress) -> None:
        """The same where they were published; of files in an object store the sizes alone.

        Args:
            progress: called with the files there are and their total, if one is read.

        Raises:
            DamagedRecords: files are missing, damaged or those of another data set.
            UserError: a store refuses.
        """
        if self.copied:
            self.copied.check_origin()
        else:
            self.check(progress)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keeps builds from replacing the records until the block ends.

        Copies of what is in an object store are not replaced anyway.

        Raises:
            UserError: they are being replaced, or others were built since these were opened.
        """
        if self.copied:
            yield
            return
        with ExitStack() as lock:
            try:
                lock.enter_context(locking(self.path / MANIFEST, shared=True))
                same = Manifest.read(self.path) == Manifest(HERE, self.inventory.files)
            except BlockingIOError:
                got, fix = "some that a build replaces", "wait until it has ended"
                raise UserError(str(self.path), "finished records", got, fix) from None
            except (OSError, NotOurs):
                same = False
            if not same:
                got, fix = "others, built or removed meanwhile", "start again"
                raise UserError(str(self.path), "the records that were opened", got, fix)
            yield

    @property
    def published(self) -> Path:
        """Where it was published."""
        return self.copied.origin if self.copied else self.path

    def fetch(self, progress: Progress = no_progress) -> None:
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
        return parse_json_as(dict[str, Any], self._read_text(STATS))

    @cached_property
    def fingerprint(self) -> str:
        """The hash of all that the records were made from."""
        return validate(_Fingerprint, self._fingerprint_file).fingerprint

    @cached_property
    def made_from(self) -> dict[str, Any]:
        """All that the records were made from: `settings`, `sources`, `code` and `libraries`."""
        content = self._fingerprint_file
        return {part: value for part, value in content.items() if part != "fingerprint"}

    @cached_property
    def _fingerprint_file(self) -> dict[str, Any]:
        return parse_json_as(dict[str, Any], self._read_text(FINGERPRINT))

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
        return read_names(self.path / ANSWERS)

    @cached_property
    def labels(self) -> list[str]:
        """The names of the classes that `label` or `frame_labels` refer to."""
        return read_names(self.path / LABELS)

    @cached_property
    def clip_labels(self) -> list[str]:
        """The names of the classes that `clip_label` refers to."""
        return read_names(self.path / CLIP_LABELS)

    @cached_property
    def limits(self) -> Mapping[str, Limits]:
        """What each field may hold, by its names, its vocabulary and the lengths of the build.

        Raises:
            UserError: names or a vocabulary cannot be read.
        """
        return find_limits(self.spec, self.path, self.stats)

    def shards(self, split: str) -> list[Path]:
        """The record files of a split, in order; those that are not here are fetched.

        Raises:
            UserError: there is no such split, or a file cannot be fetched.
        """
        names = self._shard_names(split)
        if self.copied:
            self.copied.fetch(names)
        return [self.path / name for name in names]

    def stored_shards(self, split: str) -> list[Path]:
        """The record files of a split where they were published, for workers anywhere.

        Raises:
            UserError: there is no such split.
        """
        folder = self.path.absolute()
        if self.copied:
            folder = self.copied.origin / self.copied.manifest.build
        return [folder / name for name in self._shard_names(split)]

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

        Raises:
            UserError: a file is damaged, or has something else in it.
        """
        for shard in self.shards(split):
            for number, serialised in enumerate(read_tfrecord(shard), start=1):
                where = f"{shard}, record {number}"
                yield read_record(self.spec, self.limits, serialised, where, fields)

    def dead_letters(self) -> Iterator[dict[str, str]]:
        """The raw records that were left out: `key`, `source`, `step` and `reason`.

        Raises:
            UserError: a line is something else.
        """
        path = self.path / DEAD_LETTERS
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    letter = asdict(parse_json_as(DeadLetter, line))
                except ValueError as fault:
                    got = f"something else ({fault})"
                    raise UserError(f"{path}:{number}", "a dead letter", got, FIX) from fault
                yield letter

    def _read_text(self, name: str) -> str:
        return read_whole(self.path / name, MAX_BYTES).decode()
