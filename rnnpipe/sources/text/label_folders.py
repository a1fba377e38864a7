"""A folder for each class, with a text in each file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord
from rnnpipe.sources.class_folders import ClassFolders
from rnnpipe.sources.raw_files import is_documentation
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.fields import refer_text
from rnnpipe.sources.text.lines import read_document
from rnnpipe.sources.text.source import TextClassSource, TextFolder


class LabelFolders(ClassFolders, TextFolder, TextClassSource):
    """Texts as files in a folder for each class, like aclImdb's `train/neg/0_3.txt`.

    Folders of labels lie below folders of splits (called like `train`, `val`, `test`), or directly
    in `path`; then all is training data. Files end in `.txt` or `.txt.gz`. Those without label are
    left alone: aclImdb calls their folder `unsup`. References have the fields of `TextFields`;
    files that are empty, too long, no text or cannot be read are dead letters.

    Raises:
        UserError: there is no such encoding.

    Example:
        >>> source = LabelFolders(path=Path("data/aclImdb"))
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP

    Source:
        Maas et al., "Learning Word Vectors for Sentiment Analysis" (2011), for the layout.
    """

    kind: Literal["label_folders"] = "label_folders"
    endings = (".txt", ".txt.gz")
    unlabelled = frozenset({"unsup"})

    def _is_read(self, name: str) -> bool:
        return super()._is_read(name) and not is_documentation(name)

    def check(self) -> None:
        """The encoding exists."""
        check_encoding(self.encoding)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which labels are read, and how."""
        return {**super().settings, "encoding": self.encoding}

    def refer(self, path: Path, name: str, split: str, label: str) -> Reference:
        """The text of a file; see `ClassFolders`."""
        if path.suffix.lower() == ".gz" and path.with_suffix("").is_file():
            raise BadRecord("read text", "the same file is there without gzip")
        return refer_text(name, split, text=read_document(path, self.encoding), label=label)
