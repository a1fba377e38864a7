"""A file for each class, with a text on each line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import InnerPath, setting
from rnnpipe.sources.folder import check_folder, list_folder
from rnnpipe.sources.raw_files import is_documentation
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import left_out_notices, name_of, unread_folders
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.fields import refer_text
from rnnpipe.sources.text.files import check_text_file
from rnnpipe.sources.text.lines import read_lines
from rnnpipe.sources.text.source import TextClassSource, TextFolder

_FIX = "name the file of each label in data.source.files"
_ASIDE = re.compile(
    r".*(\.(txt|md|rst|html?|pdf|docx?|json|ya?ml|bak|orig|tmp|log|zip|tar|py|sh)|~)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The file of one class.

    Args:
        label: the class.
        path: the file.
    """

    label: str
    path: Path


class LabelFiles(TextFolder, TextClassSource):
    """Texts of each class as the lines of a file, like `rt-polarity.neg` and `rt-polarity.pos`.

    All is training data, of which the build holds out the other splits.

    Without `files` they are called `<name>.<label>` or `<name>.<label>.gz`, and there are two or
    more of one name. Documentation, such as `README.1.0` or `<name>.txt`, and backups are ignored.

    Raises:
        UserError: there is no such encoding.

    Example:
        >>> source = LabelFiles(path=Path("data/rt_polarity"))
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["label_files"] = "label_files"
    files: dict[str, InnerPath] | None = setting(
        None, "the file of each label; null: all of one name, <name>.<label>"
    )

    def check(self) -> None:
        """The encoding exists."""
        check_encoding(self.encoding)

    @cached_property
    def _labelled(self) -> list[LabelFile]:
        check_folder(self._folder, "a text file for each label", "correct data.source.path")
        files: Mapping[str, str | Path] = self._find() if self.files is None else self.files
        if len(files) < 2:
            got = ", ".join(files) or "none"
            raise UserError(str(self._folder), "files of two labels or more", got, _FIX)
        return [LabelFile(label, self._folder / name) for label, name in sorted(files.items())]

    @cached_property
    def _by_stem(self) -> dict[str, dict[str, list[str]]]:
        by_stem: dict[str, dict[str, list[str]]] = {}
        for name in list_folder(self._folder):
            plain = name.removesuffix(".gz")
            stem, _, label = plain.rpartition(".")
            aside = is_documentation(plain) or _ASIDE.fullmatch(plain)
            if stem and label and not aside and (self._folder / name).is_file():
                by_stem.setdefault(stem, {}).setdefault(label, []).append(name)
        return by_stem

    def _find(self) -> dict[str, str]:
        several = {stem: files for stem, files in self._by_stem.items() if len(files) > 1}
        if len(several) != 1:
            got = ", ".join(several) or "none"
            expected = "files <name>.<label> of two labels or more, and of one name"
            raise UserError(str(self._folder), expected, got, _FIX)
        found = several.popitem()[1]
        for label, names in found.items():
            if len(names) > 1:
                got, fix = " and ".join(names), f"move one of them away, or {_FIX}"
                raise UserError(str(self._folder), f"one file of the label {label}", got, fix)
        return {label: names[0] for label, names in found.items()}

    @property
    def notices(self) -> Sequence[str]:
        """Files of other names, unless a config chose the files."""
        if self.files is not None:
            return []
        alone = [files for files in self._by_stem.values() if len(files) == 1]
        left = [name for files in alone for names in files.values() for name in names]
        return left_out_notices([*left, *unread_folders(self._folder)], _FIX)

    @property
    def split_names(self) -> frozenset[str]:
        """Only `train`: the build holds the other splits out of it."""
        return frozenset({"train"})

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which file is which, and how they are read."""
        labels = {file.label: name_of(file.path, self._folder) for file in self._labelled}
        return {"labels": labels, "encoding": self.encoding}

    def prepare(self, progress: Progress) -> None:
        """Checks that the files are there; see `Source`."""
        for done, file in enumerate(self._labelled, start=1):
            check_text_file(file.path, self.encoding)
            progress(done, len(self._labelled))

    def partitions(self) -> list[LabelFile]:
        """A partition for each file."""
        return list(self._labelled)

    def read(self, partition: LabelFile) -> Iterator[Reference | DeadLetter]:
        """The texts of a file.

        Yields:
            References with the fields of `TextFields`, and dead letters for lines that are empty,
            too long or no text.
        """
        name = name_of(partition.path, self._folder)
        for number, line in read_lines(partition.path, self.encoding):
            key = f"{name}:{number}"
            try:
                if isinstance(line, BadRecord):
                    raise line
                yield refer_text(key, "train", text=line, label=partition.label)
            except BadRecord as bad:
                yield DeadLetter(key, name, bad.step, bad.reason)

    def raw_files(self) -> Iterator[Path]:
        """The file of each label."""
        for file in self._labelled:
            yield file.path
