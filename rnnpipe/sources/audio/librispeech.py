"""The layout of LibriSpeech: folders of subsets, speakers and chapters."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import setting
from rnnpipe.sources.audio.files import find_sounds, is_sound
from rnnpipe.sources.audio.source import UtteranceFolder
from rnnpipe.sources.audio.utterances import Utterance, make_utterance
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.raw_files import check_name, list_raw, printable, walk_raw
from rnnpipe.sources.splits import Split, left_out_notices, name_of, split_of_name
from rnnpipe.sources.text.files import check_text_file
from rnnpipe.sources.text.lines import BadLine, read_lines

_ENDING = ".trans.txt"
_SPEAKERS = "SPEAKERS.TXT"
_FIX_SUBSETS = "name what is to be read in data.source.subsets, e.g. {train: [train-clean-100]}"


class LibriSpeech(UtteranceFolder):
    """LibriSpeech, and what is laid out like it: `dev-clean/84/121123/84-121123-0000.flac`.

    A chapter's texts are in `84-121123.trans.txt` beside its sounds, a line each: the name of the
    sound without ending, and what is said. Speakers are the folders that chapters lie in.

    Source: Panayotov, Chen, Povey and Khudanpur, Librispeech: An ASR corpus based on public domain
    audio books, 2015.

    Example:
        >>> source = LibriSpeech(path="data/LibriSpeech", subsets={"train": ("train-clean-100",)})
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["librispeech"] = "librispeech"
    subsets: dict[Split, tuple[str, ...]] | None = setting(
        None, "the folders of each split, e.g. {train: [train-clean-100]}; null: by their names"
    )

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which folders are read."""
        subsets = {split: sorted(names) for split, names in self._subsets.items()}
        return {**super().settings, "subsets": subsets}

    @cached_property
    def _subsets(self) -> Mapping[Split, Sequence[str]]:
        check_folder(self.folder, "LibriSpeech", "correct data.source.path")
        found: dict[Split, list[str]] = {}
        for name in list_raw(self.folder).folders:
            if split := split_of_name(name):
                found.setdefault(split, []).append(name)
        subsets = found if self.subsets is None else self.subsets
        if "train" not in subsets:
            got = ", ".join(list_raw(self.folder).folders) or "no folder"
            fix = f"correct data.source.path, or {_FIX_SUBSETS}"
            raise UserError(str(self.folder), "folders of which one is for training", got, fix)
        for name in (name for names in subsets.values() for name in names):
            check_folder(self.folder / name, "a subset", "correct data.source.subsets")
        return subsets

    @cached_property
    def _chapters(self) -> list[tuple[Split, Path]]:
        """The files of texts, each with its split."""
        return [
            (split, root / name)
            for split, names in self._subsets.items()
            for subset in names
            for root, listing in walk_raw(self.folder / subset)
            for name in listing.files
            if name.lower().endswith(_ENDING)
        ]

    def annotation_files(self) -> Iterator[Path]:
        """The files of texts."""
        for _, path in self._chapters:
            yield path

    def find_items(self) -> Sequence[Utterance | DeadLetter]:
        """See `ListedFolder`."""
        items: list[Utterance | DeadLetter] = []
        for split, path in self._chapters:
            items += self._read_chapter(path, split)
        if not items:
            got, fix = "none", "correct data.source.path or subsets"
            raise UserError(str(self.folder), f"files called …{_ENDING}", got, fix)
        named = {item.name if isinstance(item, Utterance) else item.source for item in items}
        for subset in (name for names in self._subsets.values() for name in names):
            for inside, _ in find_sounds(self.folder / subset):
                if (name := f"{subset}/{inside}") not in named:
                    name, reason = printable(name), f"no {_ENDING} file beside it has its text"
                    items.append(DeadLetter(name, name, "read text", reason))
        return items

    def _read_chapter(self, path: Path, split: Split) -> Iterator[Utterance | DeadLetter]:
        check_text_file(path, "utf-8")
        chapter, sounds = name_of(path, self.folder), _sounds_beside(path)
        lines = list(_read_texts(path))
        texts: dict[str, set[str]] = {}
        for _, name, text in lines:
            texts.setdefault(name, set()).add(str(text))
        for number, name, text in lines:
            source = chapter
            try:
                sound = _find_sound(name, text, sounds)
                source = name_of(sound, self.folder)
                _check_one(name, texts[name])
                speaker = path.parent.parent.name
                yield make_utterance(source, str(sound), text=text, speaker=speaker, split=split)
            except BadRecord as bad:
                yield DeadLetter(f"{chapter}:{number}", source, bad.step, bad.reason)

    @property
    def notices(self) -> Sequence[str]:
        """Folders that are not read, speakers of several splits, and those that are not listed."""
        read = {name for names in self._subsets.values() for name in names}
        left = [f"{name}/" for name in list_raw(self.folder).folders if name not in read]
        unread = left_out_notices(left, _FIX_SUBSETS) if self.subsets is None else []
        return [*super().notices, *unread, *self._unlisted()]

    def _unlisted(self) -> list[str]:
        """A notice of speakers whom the list of speakers lacks, where there is one."""
        path = self.folder / _SPEAKERS
        if not path.is_file():
            return []
        lines = (line for _, line in read_lines(path, "utf-8") if isinstance(line, str))
        listed = {line.partition("|")[0].strip() for line in lines if not line.startswith(";")}
        found = {item.speaker for item in self.items if isinstance(item, Utterance)}
        if not (missing := sorted(found - listed)):
            return []
        shown = ", ".join(missing[:8]) + (", …" if len(missing) > 8 else "")
        return [f"data.source: {_SPEAKERS} does not list {len(missing):,} speakers: {shown}"]


def _read_texts(path: Path) -> Iterator[tuple[int, str, str | BadLine]]:
    """The lines of a chapter: their numbers, names of sounds without ending, and texts."""
    for number, line in read_lines(path, "utf-8"):
        if isinstance(line, BadLine):
            yield number, "", line
        elif line:  # many programs end a file with an empty one
            name, _, text = line.partition(" ")
            yield number, name, text


def _sounds_beside(path: Path) -> dict[str, list[Path]]:
    """The sounds beside a file, by their names without ending."""
    sounds: dict[str, list[Path]] = {}
    for name in filter(is_sound, list_raw(path.parent).files):
        sounds.setdefault(Path(name).stem, []).append(path.parent / name)
    return sounds


def _find_sound(name: str, text: str | BadLine, sounds: Mapping[str, Sequence[Path]]) -> Path:
    """The sound that a line names."""
    if isinstance(text, BadLine):
        raise text
    check_name(name)
    found = sounds.get(name, [])
    if len(found) == 1:
        return found[0]
    what = "no sound is" if not found else f"{len(found)} sounds are"
    raise BadRecord("find sound", f"{what} called {name}")


def _check_one(name: str, texts: Collection[str]) -> None:
    if len(texts) > 1:
        raise BadRecord("read text", f"{len(texts)} lines of {name} differ")
