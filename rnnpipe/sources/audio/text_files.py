"""A text in a file of its own for each sound."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import InnerPath, setting
from rnnpipe.sources.audio.files import find_sounds
from rnnpipe.sources.audio.source import UtteranceFolder
from rnnpipe.sources.audio.utterances import Utterance, make_utterance
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.raw_files import check_name, fold_name, is_documentation, printable, walk_raw
from rnnpipe.sources.splits import Split, left_out_notices, name_of, split_of_name
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.lines import read_document

_LABEL = re.compile(
    r"\s*(\d{1,18})\s+(\d{1,18})\s+\S.*"
)  # of HTK: start, end, what is said meanwhile


class TextFiles(UtteranceFolder):
    """Sounds with a text file each, called after the sound: `a/1.wav` and `a/1.txt`.

    Texts lie beside the sounds, or in a folder of their own with the same folders in it. Folders
    called like `train`, `dev` and `test` at the top are splits, and what lies elsewhere is not read
    then; without one for training, all is training data.

    Raises:
        UserError: there is no such encoding.

    Example:
        >>> source = TextFiles(path="data/vctk", sounds="wav48", texts="txt", speaker_folders=True)
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["text_files"] = "text_files"
    sounds: InnerPath = setting(Path("."), "its folder of sounds, relative to `path`")
    texts: InnerPath = setting(Path("."), "its folder of texts, relative to `path`")
    endings: tuple[str, ...] = setting((".txt", ".lab"), "how the names of texts end", min_length=1)
    speaker_folders: bool = setting(
        False, "whether the folder that a sound lies in is called after its speaker"
    )
    encoding: str = setting("utf-8", "of the texts, e.g. iso-8859-1")

    def check(self) -> None:
        """The encoding exists."""
        check_encoding(self.encoding)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is read as a text, and what as a speaker."""
        return {
            **super().settings,
            "folders": [self.sounds.as_posix(), self.texts.as_posix()],
            "endings": list(self.endings),
            "speaker_folders": self.speaker_folders,
            "encoding": self.encoding,
        }

    @property
    def _sounds(self) -> Path:
        return self.folder / self.sounds

    @property
    def _texts(self) -> Path:
        return self.folder / self.texts

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        """The texts by what they are called without their ending."""
        found: dict[str, list[Path]] = {}
        endings = tuple(ending.lower() for ending in self.endings)
        for root, listing in walk_raw(self._texts):
            for name in filter(lambda name: name.lower().endswith(endings), listing.files):
                if not is_documentation(name):
                    stem = _stem(name_of(root / name, self._texts))
                    found.setdefault(stem, []).append(root / name)
        return found

    def annotation_files(self) -> Iterator[Path]:
        """The texts."""
        for paths in self._files.values():
            yield from paths

    def find_items(self) -> Sequence[Utterance | DeadLetter]:
        """See `ListedFolder`."""
        check_folder(self._sounds, "sounds", "correct data.source.path or sounds")
        check_folder(self._texts, "texts", "correct data.source.texts")
        if not self._found:
            fix = "correct data.source.path or sounds"
            raise UserError(str(self._sounds), "sounds (.wav, .flac, .mp3, …)", "none", fix)
        items = [self._make(name, path) for name, path in self._found if self._split_of(name)]
        used = {stem for name, _ in self._found for stem in _stems(name)}
        for stem in sorted(self._files.keys() - used):
            for path in self._files[stem]:
                name = name_of(path, self._texts)
                items.append(DeadLetter(name, name, "find sound", "no sound is called like it"))
        return items

    @cached_property
    def _found(self) -> list[tuple[str, Path]]:
        """The names and paths of all sounds."""
        return sorted(find_sounds(self._sounds))

    @cached_property
    def _splits(self) -> dict[str, Split]:
        """The split of each folder that is one; none unless one is for training."""
        folders = {name.partition("/")[0] for name, _ in self._found if "/" in name}
        splits = {folder: split for folder in folders if (split := split_of_name(folder))}
        return splits if "train" in splits.values() else {}

    def _split_of(self, name: str) -> Split | None:
        return self._splits.get(name.partition("/")[0]) if self._splits else "train"

    def _make(self, name: str, path: Path) -> Utterance | DeadLetter:
        try:
            return make_utterance(
                name,
                str(path),
                text=self._read_text(name),
                speaker=path.parent.name if self.speaker_folders else None,
                split=self._split_of(name) or "train",
            )
        except BadRecord as bad:
            return DeadLetter(printable(name), printable(name), bad.step, bad.reason)

    def _read_text(self, name: str) -> str:
        check_name(name)
        paths = [path for stem in _stems(name) for path in self._files.get(stem, [])]
        if not paths:
            raise BadRecord("read text", "no text is called like it")
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise BadRecord("read text", f"{len(paths)} texts are called like it: {names}")
        text = read_document(paths[0], self.encoding).strip()
        if _is_label_file(text):
            raise BadRecord("read text", f"{paths[0].name} has times and labels, no text")
        return text

    @property
    def notices(self) -> Sequence[str]:
        """Sounds beside the folders of splits, and speakers of several splits."""
        left = {name.partition("/")[0] for name, _ in self._found if not self._split_of(name)}
        fix = "lay it into a folder called train, validation or test"
        return [*super().notices, *left_out_notices(map(printable, left), fix)]


def _stem(name: str) -> str:
    return fold_name(name.rpartition(".")[0])


def _stems(name: str) -> tuple[str, str]:
    """What the text of a sound may be called without its ending: `a` or `a.wav`."""
    return _stem(name), fold_name(name)


def _is_label_file(text: str) -> bool:
    """Whether a text is a list of times and labels, as HTK and others write them."""
    rows = [_LABEL.fullmatch(line) for line in text.splitlines()]
    return len(rows) > 1 and all(row and int(row[1]) < int(row[2]) for row in rows)
