"""The sound of the GRID corpus: sentences of six words, which the names of the files encode."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import InnerPath, setting
from rnnpipe.sources.audio.files import find_sounds
from rnnpipe.sources.audio.source import UtteranceFolder
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.audio.utterances import Utterance
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.splits import name_of

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_LETTERS = "abcdefghijklmnopqrstuvxyz"  # w has three syllables
_WORDS: tuple[Mapping[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in _LETTERS},
    {"z": DIGITS[0], **{str(digit): DIGITS[digit] for digit in range(1, 10)}},
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


def sentence_of(name: str) -> str:
    """The sentence of a file of GRID: each character of its name stands for a word.

    Args:
        name: of the file, with or without folders and an ending.

    Raises:
        BadRecord: it is no such name (step `read name`).

    Example:
        >>> sentence_of("s1/bbaf3s.wav"), sentence_of("lgwzzn")
        ('bin blue at f three soon', 'lay green with z zero now')
    """
    code = PurePosixPath(name).stem
    words = [words.get(sign) for words, sign in zip(_WORDS, code.lower(), strict=False)]
    if len(code) != len(_WORDS) or None in words:
        raise BadRecord("read name", f"{code!r} encodes no sentence of GRID, as bbaf3s does")
    return " ".join(filter(None, words))


class GridAudio(UtteranceFolder):
    """The sound of the GRID corpus: a file for each sentence, with its code as name.

    A table may put the sentences in splits: one with the columns `file`, relative to `path`,
    `sentence`, which must be the one that the name encodes, and `split`. Where the sounds of
    several speakers lie in folders of their own, these are called after the speakers.

    Source: Cooke, Barker, Cunningham and Shao, An audio-visual corpus for speech perception and
    automatic speech recognition, 2006.

    Example:
        >>> source = GridAudio(path="data/grid_s1_audio")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["grid_audio"] = "grid_audio"
    sounds: InnerPath = setting(Path("audio"), "its folder of sounds, relative to `path`")
    table: InnerPath | None = setting(
        Path("utterances.csv"),
        "a CSV, TSV or JSON lines file with the splits, relative to `path`; null: there is none",
    )

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which folder and table are read."""
        table = self.table and str(self.table)
        return {**super().settings, "sounds": str(self.sounds), "table": table}

    @cached_property
    def _reader(self) -> UtteranceTable | None:
        if self.table is None:
            return None
        return UtteranceTable(path=self.path, table=self.table, text="sentence", split="split")

    def annotation_files(self) -> Iterator[Path]:
        """The table, if there is one."""
        if self._reader is not None:
            yield from self._reader.annotation_files()

    def find_items(self) -> Sequence[Utterance | DeadLetter]:
        """See `ListedFolder`."""
        sounds, fix = self.folder / self.sounds, "correct data.source.path or sounds"
        check_folder(sounds, "GRID's sounds", fix)
        if self._reader is not None:
            return [
                item if isinstance(item, DeadLetter) else self._read_name(item, item.text)
                for item in self._reader.items
            ]
        paths = sorted(path for _, path in find_sounds(sounds))
        if not paths:
            raise UserError(str(sounds), "sounds (.wav, .flac)", "none", fix)
        named = (Utterance(name_of(path, self.folder), str(path), "") for path in paths)
        return [self._read_name(utterance) for utterance in named]

    def _read_name(
        self, utterance: Utterance, sentence: str | None = None
    ) -> Utterance | DeadLetter:
        """The utterance with the sentence of its name, and with its speaker.

        Args:
            utterance: a sound.
            sentence: what a table says that it is.
        """
        name = PurePosixPath(utterance.name)
        try:
            text = sentence_of(utterance.name)
        except BadRecord as bad:
            return DeadLetter(utterance.key, utterance.name, bad.step, bad.reason)
        if sentence is not None and sentence.lower().split() != text.split():
            reason = f"the sentence is {sentence!r:.100}, the name encodes {text!r}"
            return DeadLetter(utterance.key, utterance.name, "read row", reason)
        inside = name.relative_to(self.sounds) if name.is_relative_to(self.sounds) else name
        speaker = inside.parts[0] if len(inside.parts) > 1 else ""
        return replace(utterance, text=text, speaker=speaker)

    @property
    def notices(self) -> Sequence[str]:
        """Sounds that the table does not name, and speakers of several splits."""
        of_table = () if self._reader is None else self._reader.notices
        return [*super().notices, *of_table]
