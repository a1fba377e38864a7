"""A folder for each class, with a text in each file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnpipe.sources.class_folders import ClassFolders
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.fields import refer_text
from rnnpipe.sources.text.lines import check_encoding, read_document


class LabelFolders(ClassFolders):
    """Texts as files in a folder for each class, like aclImdb's `train/neg/0_3.txt`.

    Folders of labels lie below folders of splits (called like `train`, `val`, `test`), or directly
    in `path`; then all is training data. Files end in `.txt`. Those without label are left alone:
    aclImdb calls their folder `unsup`. References have the fields of `TextFields`; files that are
    empty, too long, no text or cannot be read are dead letters.

    Args:
        path: the folder.
        labels: which folders to read; without it, all but `unsup`.
        encoding: of all files.

    Raises:
        UserError: there is no such encoding.

    Example:
        >>> source = LabelFolders("data/aclImdb")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP

    Source:
        Maas et al., "Learning Word Vectors for Sentiment Analysis" (2011), for the layout.
    """

    kind = "label_folders"
    endings = (".txt",)
    unlabelled = frozenset({"unsup"})

    def __init__(
        self, path: str | Path, *, labels: Sequence[str] | None = None, encoding: str = "utf-8"
    ) -> None:
        super().__init__(path, labels)
        self._encoding = check_encoding(encoding)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which labels are read, and how."""
        return {**super().settings, "encoding": self._encoding}

    def refer(self, path: Path, name: str, split: str, label: str) -> Reference:
        """The text of a file; see `ClassFolders`."""
        return refer_text(name, split, text=read_document(path, self._encoding), label=label)
