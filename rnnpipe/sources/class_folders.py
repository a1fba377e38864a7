"""A folder for each class: what sources of such folders share, whatever their files hold."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.folder import InFolder, check_folder
from rnnpipe.sources.raw_files import check_name, fold_name, list_raw, printable
from rnnpipe.sources.source import Progress, Reference, Source
from rnnpipe.sources.splits import left_out_notices, name_of, split_of_name

_FILES_PER_PARTITION = 500
_SHOWN = 7  # endings in a message


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


class ClassFolders(InFolder, Source):
    """Files in a folder for each class.

    Folders of classes lie below folders of splits (called like `train`, `val`, `test`), or directly
    in `path`; then all is training data.
    """

    path: FilePath = setting(help="the folder of the raw data")
    labels: tuple[str, ...] | None = setting(
        None, "the folders to read; null: all that are classes", min_length=2
    )
    endings: ClassVar[tuple[str, ...]]
    """How the names of the files end, in small letters."""

    unlabelled: ClassVar[frozenset[str]] = frozenset()
    """Folders that are no class."""

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
            for name in filter(self._is_wanted, list_raw(base).folders):
                names = self._files(base / name)
                for start in range(0, len(names), _FILES_PER_PARTITION):
                    partition = tuple(names[start : start + _FILES_PER_PARTITION])
                    partitions.append(ClassFolder(split, fold_name(name), partition))
        self._check_labels({p.label for p in partitions if p.split == "train"})
        return partitions

    def _check_labels(self, labels: set[str]) -> None:
        """Checks that there are two classes to train on, and all that a config names."""
        if missing := set(map(fold_name, self.labels or ())) - labels:
            got = f"none called {', '.join(sorted(missing))} with {_some(self.endings)} files"
            fix = "correct data.source.labels"
            raise UserError(str(self._folder), "a training folder for each label", got, fix)
        if len(labels) < 2:
            expected = f"folders of {_some(self.endings)} files for two labels or more"
            got, fix = ", ".join(sorted(labels)) or "none", "correct data.source.path or labels"
            if others := self._other_endings():
                got += f", and files that end in {_some(others)}"
            raise UserError(str(self._folder), expected, got, fix)

    def _other_endings(self) -> list[str]:
        """How other files in folders of classes end."""
        names = (
            name
            for _, base in self._split_folders()
            for folder in list_raw(base).folders
            for name in list_raw(base / folder).files
        )
        return sorted({Path(name).suffix or name for name in names if not self._is_read(name)})

    def _is_read(self, name: str) -> bool:
        """Whether a file is data, by its name."""
        return name.lower().endswith(self.endings)

    def _split_folders(self) -> list[tuple[str, Path]]:
        """The folder of each split, or all as `train` where there is none for training.

        A folder that has files and no folders is one of a class, whatever it is called: COCO and
        VOC have a class called train.
        """
        splits: dict[str, Path] = {}
        for name in list_raw(self._folder).folders:
            split, listing = split_of_name(name), list_raw(self._folder / name)
            if split is None or (not listing.folders and any(map(self._is_read, listing.files))):
                continue
            if split in splits:
                got = f"{splits[split].name} and {name}"
                fix = "move one of them away"
                raise UserError(str(self._folder), f"one folder for the split {split}", got, fix)
            splits[split] = self._folder / name
        return list(splits.items()) if "train" in splits else [("train", self._folder)]

    @property
    def notices(self) -> Sequence[str]:
        """Folders that are not read or hold nothing, and files that lie elsewhere or are others."""
        beside, others = self._beside_splits(), self._others()
        notices = left_out_notices(beside, "call it train, validation or test")
        notices += left_out_notices(self._beside_labels(), "data lies in a folder of its label")
        notices += left_out_notices(self._empty(), f"it has no {_some(self.endings)} files")
        if others:
            what = f"{len(others):,} in folders of labels, such as {others[0]}"
            notices.append(f"data.source: {what}, not read; names end in {_some(self.endings)}")
        return notices

    def _beside_splits(self) -> list[str]:
        if self._folder in (base for _, base in self._split_folders()):
            return []
        folders = list_raw(self._folder).folders
        return [f"{name}/" for name in folders if split_of_name(name) is None]

    def _beside_labels(self) -> list[str]:
        """The files beside the folders of labels or splits that seem to be data."""
        folders = dict.fromkeys([self._folder, *(base for _, base in self._split_folders())])
        return [
            name_of(folder / name, self._folder)
            for folder in folders
            for name in list_raw(folder).files
            if self._is_read(name) or split_of_name(name)
        ]

    def _others(self) -> list[str]:
        folders = {partition.names[0].rpartition("/")[0] for partition in self._partitions}
        return sorted(
            f"{folder}/{name}"
            for folder in folders
            for name in _names_in(self._folder / folder)
            if not self._is_read(name)
        )

    def _empty(self) -> list[str]:
        """The folders that would be classes if there were files in them."""
        return [
            f"{(base / name).relative_to(self._folder).as_posix()}/"
            for _, base in self._split_folders()
            for name in filter(self._is_wanted, list_raw(base).folders)
            if not self._files(base / name)
        ]

    def _is_wanted(self, name: str) -> bool:
        if self.labels is None:
            return name not in self.unlabelled
        return fold_name(name) in map(fold_name, self.labels)

    def _files(self, folder: Path) -> list[str]:
        inside, listing = folder.relative_to(self._folder).as_posix(), list_raw(folder)
        names = listing.files + listing.misnamed
        return [f"{inside}/{name}" for name in names if self._is_read(name)]

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
            shown = printable(name)
            try:
                check_name(name)
                yield self.refer(self._folder / name, name, partition.split, partition.label)
            except BadRecord as bad:
                yield DeadLetter(shown, shown, bad.step, bad.reason)

    def raw_files(self) -> Iterator[Path]:
        """All files that are read."""
        for partition in self._partitions:
            for name in partition.names:
                yield self._folder / name


def _some(endings: Sequence[str]) -> str:
    return ", ".join(endings[:_SHOWN]) + (", …" if len(endings) > _SHOWN else "")


def _names_in(folder: Path) -> list[str]:
    listing = list_raw(folder)
    return listing.files + listing.folders
