"""The GRID corpus: people who say sentences of six words, aligned to their videos."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import InnerPath, setting
from rnnpipe.sources.file_index import FileIndex
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.raw_files import check_name, fold_name, printable, walk_raw
from rnnpipe.sources.splits import left_out_notices, name_of
from rnnpipe.sources.videos.clips import Clip, Segment, read_place
from rnnpipe.sources.videos.files import is_video
from rnnpipe.sources.videos.source import ClipFolder
from rnnpipe.storage.whole_files import read_whole

Word = Literal["command", "color", "preposition", "letter", "digit", "adverb"]

WORDS: tuple[Word, ...] = get_args(Word)
"""The words of a sentence, in their order."""

_UNITS = 25_000  # of an alignment, in a second
_SILENCE = "sil"
_SILENT = {"sil", "sp"}


class Grid(ClipFolder):
    """The GRID corpus: the word that is spoken in every frame, or `sil`.

    An alignment has a line for each word: start, end and word, of which 25,000 units are a second.
    The short pause `sp` is silence too. The videos of several speakers may lie in folders of their
    own; an alignment has the name of its video, in the same folders.

    Source: Cooke, Barker, Cunningham and Shao, An audio-visual corpus for speech perception and
    automatic speech recognition, 2006.
    """

    kind: Literal["grid"] = "grid"
    videos: InnerPath = setting(Path("clips"), "its folder of videos, relative to `path`")
    alignments: InnerPath = setting(Path("align"), "its folder of alignments, relative to `path`")
    clip_label: Word | None = setting(
        "color", "the word of the sentence that is the class of the clip; null: it has none"
    )

    @property
    def labels_frames(self) -> bool:
        """Always."""
        return True

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which word is the class of a clip."""
        return {"clip_label": self.clip_label}

    @property
    def _videos(self) -> Path:
        return self.folder / self.videos

    @property
    def _alignments(self) -> Path:
        return self.folder / self.alignments

    def annotation_files(self) -> Iterator[Path]:
        """The alignments."""
        yield from _find_files(self._alignments, _is_alignment)

    def find_items(self) -> Sequence[Clip | DeadLetter]:
        """See `ListedFolder`."""
        check_folder(self._videos, "GRID's videos", "correct data.source.path or videos")
        check_folder(self._alignments, "GRID's alignments", "correct data.source.alignments")
        paths = _find_files(self._videos, is_video)
        if not paths:
            fix = "correct data.source.path or videos"
            raise UserError(str(self._videos), "videos (.mpg, .mp4, .avi)", "none", fix)
        return [self._make_clip(path) for path in paths]

    @property
    def notices(self) -> Sequence[str]:
        """Alignments of which there is no video: often one speaker's videos are there alone."""
        videos, alignments = self._videos, self._alignments
        seen = {_stem_of(path, videos) for path in _find_files(videos, is_video)}
        paths = _find_files(alignments, _is_alignment)
        left = [name_of(p, alignments) for p in paths if _stem_of(p, alignments) not in seen]
        return left_out_notices(map(printable, left), "there is no video of that name")

    @cached_property
    def _files(self) -> FileIndex:
        return FileIndex(self._alignments)

    def _find_alignment(self, name: Path) -> Path:
        try:
            return self._files.find_name(name.as_posix())
        except BadRecord as bad:
            raise BadRecord("read alignment", f"there is no {name.name}") from bad

    def _make_clip(self, path: Path) -> Clip | DeadLetter:
        name = path.relative_to(self._videos)
        key = printable(name.with_suffix("").as_posix())
        try:
            check_name(path.name)
            segments = _read_alignment(self._find_alignment(name.with_suffix(".align")))
            label = _word_of(segments, self.clip_label) if self.clip_label else None
        except BadRecord as bad:
            return DeadLetter(key, printable(name.as_posix()), bad.step, bad.reason)
        return Clip(key, str(path), clip_label=label, segments=segments)


def _stem_of(path: Path, folder: Path) -> str:
    """What a video and its alignment are both called."""
    return fold_name(path.relative_to(folder).with_suffix("").as_posix())


def _is_alignment(name: str) -> bool:
    return name.lower().endswith(".align")


def _find_files(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """The files at any depth with such names, in order."""
    return sorted(
        root / name
        for root, listing in walk_raw(folder)
        for name in listing.files + listing.misnamed
        if wanted(name)
    )


def _read_alignment(path: Path) -> list[Segment]:
    try:
        lines = read_whole(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise BadRecord("read alignment", f"{path.name} cannot be read") from fault
    segments = []
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if not cells:
            continue  # many programs end a file with such a line
        if len(cells) != 3:
            reason = f"line {number} is not start, end and word: {line!r:.100}"
            raise BadRecord("read alignment", reason)
        start, end = (read_place(cell, "a time") / _UNITS for cell in cells[:2])
        word = _SILENCE if cells[2] in _SILENT else cells[2]
        if word != _SILENCE or start != end:  # a pause of no length is none
            segments.append((start, end, word))
    return list(dict.fromkeys(segments))


def _word_of(segments: Sequence[Segment], which: Word) -> str:
    words = [word for _, _, word in segments if word != _SILENCE]
    if len(words) != len(WORDS):
        raise BadRecord("read alignment", f"{len(words)} words, a sentence has {len(WORDS)}")
    return words[WORDS.index(which)]
