"""Connected digits: recordings of single ones, joined at random."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.audio.source import SpeechSource
from rnnpipe.sources.audio.spoken_digits import DigitRecording, find_recordings
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.audio.utterances import Grouping
from rnnpipe.sources.folder import absolute, hash_code
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress
from rnnpipe.storage.whole_files import read_whole

_CODE = Path(__file__).with_name("connected")


class ConnectedDigits(GeneratedSource, SpeechSource):
    """Utterances of several digits of one speaker, joined from recordings of single ones.

    The recordings are called `<digit>_<speaker>_<index>.wav`, as those of `SpokenDigits`. No
    recording is in two splits: the test split is joined from those of index 0 to 4, validation from
    the next five of each digit and speaker. Speakers are in all splits.

    Example:
        >>> source = ConnectedDigits(recordings="data/spoken_digits/recordings", utterances=500)
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
    """

    kind: Literal["connected_digits"] = "connected_digits"
    recordings: FilePath = setting(help="the folder of recordings")
    utterances: int = setting(
        2000,
        "for training; validation and test have a tenth of that each on top",
        ge=10,
        le=100_000,
    )
    fewest: int = setting(3, "digits in an utterance at least", ge=1)
    most: int = setting(7, "digits in an utterance at most", ge=1, le=100)
    shortest_gap: float = setting(
        0.05, "seconds of silence before, between and after them at least", ge=0
    )
    longest_gap: float = setting(0.4, "seconds of that silence at most", ge=0, le=60)
    rate: int = setting(8000, "samples per second of the files", ge=4000, le=96_000)
    seed: int = setting(1, "of everything random")
    group_by: Grouping = setting("recording", "what is never in two splits")

    def check(self) -> None:
        """The least is at most the most."""
        for low, high in (("fewest", "most"), ("shortest_gap", "longest_gap")):
            least, most = getattr(self, low), getattr(self, high)
            if least > most:
                raise UserError(low, f"at most {high}, {most:g}", f"{least:g}", "lower it")

    @cached_property
    def _found(self) -> list[DigitRecording]:
        return find_recordings(absolute(self.recordings))

    @property
    def settings(self) -> Mapping[str, Any]:
        """The declared settings, without places: what is joined shows in the files."""
        settings = super().settings
        return {name: value for name, value in settings.items() if name != "recordings"}

    @cached_property
    def folder_name(self) -> str:
        """E.g. `connected_digits-2000-seed1-0a1b2c3d-1f2e3d4c-c0ffee42`.

        With hashes of all settings, of the recordings and of the code.
        """
        digest = hashlib.sha256()
        for each in self._found:
            digest.update(each.name.encode() + read_whole(each.path))
        amount = f"{self.kind}-{self.utterances}-seed{self.seed}"
        return f"{amount}-{self.settings_hash}-{digest.hexdigest()[:8]}-{hash_code(_CODE)}"

    def write(self, folder: Path, progress: Progress) -> None:
        """Joins the recordings."""
        from rnnpipe.sources.generated.connected import write_connected
        from rnnpipe.sources.generated.connected.writer import Joining

        how = Joining((self.fewest, self.most), (self.shortest_gap, self.longest_gap), self.rate)
        write_connected(
            folder, self._found, self.utterances, how, seed=self.seed, progress=progress
        )

    def open(self, folder: Path) -> UtteranceTable:
        """The reader of the files."""
        return UtteranceTable(path=folder, split="split", speaker="speaker", group_by=self.group_by)
