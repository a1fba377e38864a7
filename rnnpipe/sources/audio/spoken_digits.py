"""The Free Spoken Digit Dataset: single digits, of several speakers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import InnerPath, setting
from rnnpipe.sources.audio.files import find_sounds
from rnnpipe.sources.audio.grid import DIGITS
from rnnpipe.sources.audio.source import UtteranceFolder
from rnnpipe.sources.audio.utterances import Grouping, Utterance
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.splits import Split, left_out_notices

_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>.+)_(?P<index>[0-9]+)\.\w+")
_TESTED = 5  # recordings of each digit and speaker


@dataclass(frozen=True, slots=True)
class DigitRecording:
    """A recording by its name.

    Args:
        name: of the file.
        path: the file.
        digit: the spoken word.
        speaker: who says it.
        index: of the recordings of this digit and speaker, from 0 on.
    """

    name: str
    path: Path
    digit: str
    speaker: str
    index: int

    @property
    def split(self) -> Split:
        """The split that the data set itself puts it in: the first five are the test split."""
        return "test" if self.index < _TESTED else "train"


def find_recordings(folder: Path) -> list[DigitRecording]:
    """The recordings of a folder, in the order of their digits, speakers and indices.

    Raises:
        UserError: it is missing, or has none.
    """
    fix = "correct data.source.path or recordings"
    check_folder(folder, "recordings of digits", fix)
    found = []
    for name, path in find_sounds(folder):
        if match := _NAME.fullmatch(path.name):
            digit, index = DIGITS[int(match["digit"])], int(match["index"])
            found.append(DigitRecording(name, path, digit, match["speaker"], index))
    if not found:
        expected = "recordings called <digit>_<speaker>_<index>.wav"
        raise UserError(str(folder), expected, "none", fix)
    return sorted(found, key=lambda each: (DIGITS.index(each.digit), each.speaker, each.index))


class SpokenDigits(UtteranceFolder):
    """Recordings of single digits, called `<digit>_<speaker>_<index>.wav`.

    Those of index 0 to 4 are the test split, as the data set's authors have it. All speakers are in
    both splits; what else is held out of training is held out by recordings.

    Source: Jackson et al., Free Spoken Digit Dataset, 2018.

    Example:
        >>> source = SpokenDigits(path="data/spoken_digits")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["spoken_digits"] = "spoken_digits"
    recordings: InnerPath = setting(
        Path("recordings"), "its folder of recordings, relative to `path`"
    )
    group_by: Grouping = setting("recording", "what is never in two splits")

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which folder is read."""
        return {**super().settings, "recordings": str(self.recordings)}

    @property
    def _recordings(self) -> Path:
        return self.folder / self.recordings

    def annotation_files(self) -> Iterator[Path]:
        """None: texts are in the names."""
        return iter(())

    def find_items(self) -> Sequence[Utterance]:
        """See `ListedFolder`."""
        return [
            Utterance(each.name, str(each.path), each.digit, speaker=each.speaker, split=each.split)
            for each in find_recordings(self._recordings)
        ]

    @property
    def notices(self) -> Sequence[str]:
        """Sounds that are called otherwise, and speakers of several splits."""
        others = [
            name for name, path in find_sounds(self._recordings) if not _NAME.fullmatch(path.name)
        ]
        fix = "recordings are called <digit>_<speaker>_<index>.wav"
        return [*super().notices, *left_out_notices(others, fix)]
