"""The GRID corpus: people who say sentences of six words, aligned to their videos."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.videos.clip_source import ClipSource
from rnnpipe.sources.videos.clips import Clip, Sampling, Segment, number_of

Word = Literal["command", "color", "preposition", "letter", "digit", "adverb"]

WORDS: tuple[Word, ...] = get_args(Word)
"""The words of a sentence, in their order."""

_UNITS = 25_000  # of an alignment, in a second
_SILENCE = "sil"
_SILENT = {"sil", "sp"}
_VIDEO = re.compile(r"\.(mpg|mpeg|mp4|avi|mov)$", re.IGNORECASE)


class Grid(ClipSource):
    """GRID's videos; every frame is labelled by the word that is spoken, or by `sil`.

    An alignment has a line for each word: start, end and word, of which 25,000 units are a second.
    The short pause `sp` is silence too.

    Args:
        path: the folder.
        sampling: which frames become records.
        videos: its folder of videos; those of several speakers may lie in folders of their own.
        alignments: its folder of alignments, each named after its video and in the same folders.
        clip_label: which word of the sentence is the class of the clip; `None`: it has none.

    Source: Cooke, Barker, Cunningham and Shao, An audio-visual corpus for speech perception and
    automatic speech recognition, 2006.
    """

    kind = "grid"

    def __init__(
        self,
        path: str | Path,
        sampling: Sampling,
        *,
        videos: str | Path = "clips",
        alignments: str | Path = "align",
        clip_label: Word | None = "color",
    ) -> None:
        super().__init__(path, sampling)
        self._videos, self._alignments = self._folder / videos, self._folder / alignments
        self._clip_label = clip_label

    @property
    def choices(self) -> Mapping[str, Any]:
        """Which word is the class of a clip."""
        return {"clip_label": self._clip_label}

    def label_files(self) -> Iterator[Path]:
        """The alignments."""
        yield from sorted(self._alignments.rglob("*.align"))

    def find_clips(self) -> Sequence[Clip | DeadLetter]:
        """See `ClipSource`."""
        check_folder(self._videos, "GRID's videos", "correct data.source.path or videos")
        check_folder(self._alignments, "GRID's alignments", "correct data.source.alignments")
        paths = sorted(path for path in self._videos.rglob("*") if _VIDEO.search(path.name))
        if not paths:
            fix = "correct data.source.path or videos"
            raise UserError(str(self._videos), "videos (.mpg, .mp4, .avi)", "none", fix)
        return [self._make_clip(path) for path in paths]

    def _make_clip(self, path: Path) -> Clip | DeadLetter:
        name = path.relative_to(self._videos)
        key = name.with_suffix("").as_posix()
        try:
            segments = _read_alignment(self._alignments / name.with_suffix(".align"))
            label = _word_of(segments, self._clip_label) if self._clip_label else None
        except BadRecord as bad:
            return DeadLetter(key, name.as_posix(), bad.step, bad.reason)
        return Clip(key, str(path), clip_label=label, segments=segments)


def _read_alignment(path: Path) -> list[Segment]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as fault:
        raise BadRecord("read alignment", f"there is no {path.name}") from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise BadRecord("read alignment", f"{path.name} cannot be read") from fault
    segments = []
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if len(cells) != 3:
            raise BadRecord("read alignment", f"line {number} is not start, end and word: {line!r}")
        start, end = (number_of(cell, "a time") / _UNITS for cell in cells[:2])
        segments.append((start, end, _SILENCE if cells[2] in _SILENT else cells[2]))
    return segments


def _word_of(segments: Sequence[Segment], which: Word) -> str:
    words = [word for _, _, word in segments if word != _SILENCE]
    if len(words) != len(WORDS):
        raise BadRecord("read alignment", f"{len(words)} words, a sentence has {len(WORDS)}")
    return words[WORDS.index(which)]
