"""A folder for each class, with a text in each file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.folder import absolute, check_folder, list_folder
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.text.fields import refer_text
from rnnpipe.sources.text.lines import check_encoding, read_document
from rnnpipe.sources.text.parts import split_of_name

_UNLABELLED = "unsup"
_FILES_A_PIECE = 500


@dataclass(frozen=True, slots=True)
class LabelFolder:
    """Files of one class and one split.

    Args:
        split: the split.
        label: the class.
        names: the files, relative to the source's folder.
    """

    split: str
    label: str
    names: tuple[str, ...]


class LabelFolders:
    """Texts as files in a folder for each class, like aclImdb's `train/neg/0_3.txt`.

    Folders of labels lie below folders of splits (called like `train`, `val`, `test`), or directly
    in `path`; then all is training data. Files end in `.txt`. Those without label are left alone:
    aclImdb calls their folder `unsup`.

    Args:
        path: the folder.
        labels: which folders to read; without it, all but `unsup`.
        encoding: of all files.

    Raises:
        UserError: there is no such encoding.

    Example:
        >>> source = LabelFolders("data/aclImdb")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.pieces()[0]))  # doctest: +SKIP

    Source:
        Maas et al., "Learning Word Vectors for Sentiment Analysis" (2011), for the layout.
    """

    kind = "label_folders"

    def __init__(
        self, path: str | Path, *, labels: Sequence[str] | None = None, encoding: str = "utf-8"
    ) -> None:
        self._folder = absolute(path)
        self._labels = None if labels is None else frozenset(labels)
        self._encoding = check_encoding(encoding)

    @cached_property
    def _pieces(self) -> list[LabelFolder]:
        check_folder(self._folder, "a folder for each label", "mend data.source.path")
        pieces = []
        for split, base in self._split_folders():
            for label in list_folder(base):
                names = self._texts(base / label) if self._is_wanted(label) else []
                for start in range(0, len(names), _FILES_A_PIECE):
                    piece = tuple(names[start : start + _FILES_A_PIECE])
                    pieces.append(LabelFolder(split, label, piece))
        labels = {piece.label for piece in pieces if piece.split == "train"}
        if len(labels) < 2:
            expected = "folders of .txt files for two labels or more"
            got = ", ".join(labels) or "none"
            raise UserError(str(self._folder), expected, got, "mend data.source.path or labels")
        return pieces

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

    def _is_wanted(self, label: str) -> bool:
        return label != _UNLABELLED if self._labels is None else label in self._labels

    def _texts(self, folder: Path) -> list[str]:
        inside = folder.relative_to(self._folder).as_posix()
        return [f"{inside}/{name}" for name in list_folder(folder) if name.endswith(".txt")]

    @property
    def parts(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(piece.split for piece in self._pieces)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which labels are read, and how."""
        labels = sorted({piece.label for piece in self._pieces})
        return {"labels": labels, "encoding": self._encoding}

    def prepare(self, progress: Progress) -> None:
        """Checks that the folders are there and hold texts; see `Source`."""
        progress(len(self._pieces), len(self._pieces))

    def pieces(self) -> list[LabelFolder]:
        """Some hundred files each."""
        return list(self._pieces)

    def read(self, piece: LabelFolder) -> Iterator[Reference | DeadLetter]:
        """The texts of some files.

        Yields:
            References with the fields of `TextFields`, and dead letters for files that are empty,
            too long, no text or cannot be read.
        """
        for name in piece.names:
            try:
                text = read_document(self._folder / name, self._encoding)
                yield refer_text(name, piece.split, text=text, label=piece.label)
            except BadRecord as bad:
                yield DeadLetter(name, name, bad.step, bad.reason)

    def files(self) -> Iterator[Path]:
        """All files that are read."""
        for piece in self._pieces:
            for name in piece.names:
                yield self._folder / name
