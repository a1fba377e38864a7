"""A folder for each class: what sources of such folders share, whatever their files hold."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.folder import absolute, check_folder, list_folder
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import left_out_notices, split_of_name

_FILES_PER_PARTITION = 500


@dataclass(frozen=True, slots=True)
class ClassFolder:
    """Files of one class and one split.

    Args:
        split: the split.
        label: the class.
        names: the files, relative to the source's folder.
    """

    split: str
    label: str
    names: tuple[str, ...]


class ClassFolders(ABC):
    """Files in a folder for each class.

    Folders of classes lie below folders of splits (called like `train`, `val`, `test`), or directly
    in `path`; then all is training data.

    Args:
        path: the folder.
        labels: which folders to read; without it, all but those in `unlabelled`.
    """

    endings: tuple[str, ...]
    """How the names of the files end, in small letters."""

    unlabelled: frozenset[str] = frozenset()
    """Folders that are no class."""

    def __init__(self, path: str | Path, labels: Iterable[str] | None = None) -> None:
        self._folder = absolute(path)
        self._labels = None if labels is None else frozenset(labels)

    @abstractmethod
    def refer(self, path: Path, name: str, split: str, label: str) -> Reference:
        """The reference to a file.

        Args:
            path: the file.
            name: where it lies in the source's folder.
            split: its split.
            label: its class.

        Raises:
            BadRecord: there is none.
        """

    @cached_property
    def _partitions(self) -> list[ClassFolder]:
        check_folder(self._folder, "a folder for each label", "correct data.source.path")
        partitions = []
        for split, base in self._split_folders():
            for label in list_folder(base):
                names = self._files(base / label) if self._is_wanted(label) else []
                for start in range(0, len(names), _FILES_PER_PARTITION):
                    partition = tuple(names[start : start + _FILES_PER_PARTITION])
                    partitions.append(ClassFolder(split, label, partition))
        labels = {partition.label for partition in partitions if partition.split == "train"}
        if len(labels) < 2:
            expected = f"folders of {', '.join(self.endings)} files for two labels or more"
            got = ", ".join(sorted(labels)) or "none"
            raise UserError(str(self._folder), expected, got, "correct data.source.path or labels")
        return partitions

    def _split_folders(self) -> list[tuple[str, Path]]:
        splits: dict[str, Path] = {}
        for name in list_folder(self._folder):
            split = split_of_name(name)
            if split is None or not (self._folder / name).is_dir():
                continue
            if split in splits:
                got = f"{splits[split].name} and {name}"
                fix = "move one of them away"
                raise UserError(str(self._folder), f"one folder for the split {split}", got, fix)
            splits[split] = self._folder / name
        return list(splits.items()) if "train" in splits else [("train", self._folder)]

    @property
    def notices(self) -> Sequence[str]:
        """Folders beside those of splits, and what lies in a class's folder and is no such file."""
        beside, others = self._beside_splits(), self._others()
        told = left_out_notices(beside, "call it train, validation or test")
        if others:
            what = f"{len(others):,} in folders of labels, such as {others[0]}"
            told.append(f"data.source: {what}, not read; names end in {' or '.join(self.endings)}")
        return told

    def _beside_splits(self) -> list[str]:
        if self._folder in (base for _, base in self._split_folders()):
            return []
        names = [name for name in list_folder(self._folder) if (self._folder / name).is_dir()]
        return [f"{name}/" for name in names if split_of_name(name) is None]

    def _others(self) -> list[str]:
        folders = {partition.names[0].rpartition("/")[0] for partition in self._partitions}
        return sorted(
            f"{folder}/{name}"
            for folder in folders
            for name in list_folder(self._folder / folder)
            if not name.startswith(".") and not name.lower().endswith(self.endings)
        )

    def _is_wanted(self, label: str) -> bool:
        return label not in self.unlabelled if self._labels is None else label in self._labels

    def _files(self, folder: Path) -> list[str]:
        inside = folder.relative_to(self._folder).as_posix()
        names = list_folder(folder)
        return [f"{inside}/{name}" for name in names if name.lower().endswith(self.endings)]

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(partition.split for partition in self._partitions)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which labels are read."""
        return {"labels": sorted({partition.label for partition in self._partitions})}

    def prepare(self, progress: Progress) -> None:
        """Checks that the folders are there and hold files; see `Source`."""
        progress(len(self._partitions), len(self._partitions))

    def partitions(self) -> list[ClassFolder]:
        """Some hundred files each."""
        return list(self._partitions)

    def read(self, partition: ClassFolder) -> Iterator[Reference | DeadLetter]:
        """References to some files, and dead letters for those that cannot be referred to."""
        for name in partition.names:
            try:
                yield self.refer(self._folder / name, name, partition.split, partition.label)
            except BadRecord as bad:
                yield DeadLetter(name, name, bad.step, bad.reason)

    def raw_files(self) -> Iterator[Path]:
        """All files that are read."""
        for partition in self._partitions:
            for name in partition.names:
                yield self._folder / name
