"""Texts in Morse code: speech that needs no download."""

from pathlib import Path
from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import setting
from rnnpipe.sources.audio.source import SpeechSource
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress

_CODE = Path(__file__).with_name("morse")
_LOWEST_SNR, _HIGHEST_SNR = -60, 120  # dB


class MorseCode(GeneratedSource, SpeechSource):
    """Words in Morse code as a hand keys it, through noise, at a speed and pitch of each text.

    No text occurs twice, and a tenth of the words is in no text of training. The test split may
    have each of its texts at several levels of noise, and differs in nothing else then; scores by
    speaker are those by level, as utterances have it for their speaker: `snr 0 dB`.

    Example:
        >>> source = MorseCode(path=Path("data/morse"), utterances=100)
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["morse"] = "morse"
    utterances: int = setting(
        2000,
        "for training; validation and test have a tenth of that each on top",
        ge=10,
        le=100_000,
    )
    words: int = setting(3, "in an utterance at most; the shortest have two", ge=2, le=100)
    slowest: float = setting(30.0, "words per minute", ge=1)
    fastest: float = setting(50.0, "words per minute", le=200)
    lowest: float = setting(400.0, "pitch of the tone in Hz", ge=50)
    highest: float = setting(1000.0, "pitch of the tone in Hz")
    jitter: float = setting(
        0.1, "standard deviation of marks and gaps, as a share of their length", ge=0, le=1
    )
    snr: float = setting(
        10.0, "dB from the tone down to the noise", ge=_LOWEST_SNR, le=_HIGHEST_SNR
    )
    test_snrs: tuple[float, ...] | None = setting(
        None, "those of the test split, which has its texts once at each; null: snr", min_length=1
    )
    rate: int = setting(8000, "samples per second of the files", ge=1000, le=96_000)
    seed: int = setting(1, "of everything random")

    def check(self) -> None:
        """Ranges have their lower end first, and the files can hold the tone."""
        for low, high in (("slowest", "fastest"), ("lowest", "highest")):
            least, most = getattr(self, low), getattr(self, high)
            if least > most:
                raise UserError(low, f"at most {high}, {most:g}", f"{least:g}", "lower it")
        if self.highest >= self.rate / 2:
            expected = f"less than half of the rate, {self.rate / 2:g}"
            raise UserError("highest", expected, f"{self.highest:g}", "lower it, or raise rate")
        if self.test_snrs is not None:
            self.require_unique("test_snrs")
            for snr in self.test_snrs:
                if not _LOWEST_SNR <= snr <= _HIGHEST_SNR:
                    expected = f"ratios from {_LOWEST_SNR} to {_HIGHEST_SNR} dB"
                    raise UserError("test_snrs", expected, f"{snr:g}", "correct it")

    @property
    def folder_name(self) -> str:
        """E.g. `morse-2000-seed1-0a1b2c3d-c0ffee42`: with hashes of all settings and the code."""
        amount = f"{self.kind}-{self.utterances}-seed{self.seed}"
        return f"{amount}-{self.settings_hash}-{hash_code(_CODE)}"

    def write(self, folder: Path, progress: Progress) -> None:
        """Keys the texts."""
        from rnnpipe.sources.generated.morse import write_morse
        from rnnpipe.sources.generated.morse.writer import Transmission

        how = Transmission(
            most_words=self.words,
            speeds=(self.slowest, self.fastest),
            pitches=(self.lowest, self.highest),
            jitter=self.jitter,
            snr=self.snr,
            test_snrs=self.test_snrs,
            rate=self.rate,
        )
        write_morse(folder, self.utterances, how, seed=self.seed, progress=progress)

    def open(self, folder: Path) -> UtteranceTable:
        """The reader of the files."""
        return UtteranceTable(path=folder, split="split", speaker="speaker", group_by=self.group_by)
