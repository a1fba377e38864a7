"""How records of speech are made: sound at one rate, as samples or log-mel features, and tokens."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnpipe.audio import LogMelOptions
from rnnpipe.errors import UserError
from rnnpipe.records.specs import SPEECH, SPEECH_FEATURES, RecordSpec
from rnnpipe.settings import Settings, setting
from rnnpipe.sources.audio.source import SpeechSource
from rnnpipe.sources.source import Reference
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Recipe
from rnnpipe.transforms.recipes.tokenization import (
    TextOptions,
    count_words,
    rate,
)

if TYPE_CHECKING:
    from rnnpipe.transforms.recipes.speech_encoder import SpeechEncoder

_TEXT, _SPEAKERS = "text", "speakers"


class SoundOptions(Settings):
    """Which sound is stored, and how."""

    rate: int = setting(16000, "samples per second", ge=1000, le=192_000)
    min_seconds: float = setting(0.05, "shorter utterances are dropped", ge=0)
    max_seconds: float = setting(30.0, "longer utterances are dropped", gt=0, le=600)

    def check(self) -> None:
        """Some length is left."""
        if self.min_seconds >= self.max_seconds:
            expected = f"less than max_seconds ({self.max_seconds:g})"
            raise UserError("min_seconds", expected, f"{self.min_seconds:g}", "make it smaller")


class SpeechTextOptions(TextOptions):
    """How texts become tokens.

    Utterances of more than `max_tokens` are dropped from the training split, and their tokens cut
    in the others.
    """

    mark_joins = True  # tokens become text again


class SpeechRecordOptions(Settings):
    """How records of speech are made."""

    sound: SoundOptions = SoundOptions()
    features: LogMelOptions | None = setting(
        None, "log-mel features, stored in the place of samples; null: samples"
    )
    text: SpeechTextOptions = SpeechTextOptions(tokenizer="char", vocabulary=256, max_tokens=600)

    def check(self) -> None:
        """Features are computed at the rate of the sound."""
        if self.features is not None and self.features.rate != self.sound.rate:
            expected = f"that of the sound, {self.sound.rate}"
            raise UserError("features.rate", expected, f"{self.features.rate}", "make them equal")


class SpeechRecipe(SpeechRecordOptions, Recipe):
    """How records of speech are made.

    An utterance that is shorter or longer than `sound` allows is dropped from every split: no
    memory is given to a text that stands for hours. One with more than `text.max_tokens` tokens is
    dropped from the training split, and its tokens are cut in the others; the raw text is whole.
    """

    libraries = ("av", "numpy", "sentencepiece")

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return SPEECH if self.features is None else SPEECH_FEATURES

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The words of the text, and the speaker."""
        yield from count_words(self.text.normalizer, _TEXT, reference.fields["text"])
        if speaker := reference.fields["speaker"]:
            yield _SPEAKERS, speaker

    def learn(self, counts: Counts, folder: Path) -> "SpeechEncoder":
        """The tokenizer, saved in `folder`.

        Raises:
            UserError: there are no words.
        """
        from rnnpipe.transforms.recipes.speech_encoder import SpeechEncoder

        tokenizer = self.text.train(counts[_TEXT])
        tokenizer.save(folder)
        return SpeechEncoder(self, tokenizer)

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """The words and the speakers of the training split, and the rate of the samples."""
        return {
            **self.text.summarise(counts, {_TEXT: _TEXT}),
            "training_speakers": counts[_SPEAKERS].distinct,
            "rate": self.sound.rate,
        }

    def notices(self, split: str, totals: Mapping[str, int]) -> Sequence[str]:
        """How many utterances are clipped, or were recorded at a lower rate."""
        clipped, number = totals["clipped"], totals["utterances"]
        of = f"of {number:,} {split} utterances"
        notices = []
        if clipped:
            samples, verb = totals["samples_clipped"], "is" if clipped == 1 else "are"
            notices.append(f"{clipped:,} {of} {verb} clipped, with {samples:,} samples in all")
        if low := totals["upsampled"]:
            at = f"at less than {self.sound.rate:,} samples per second"
            verb, whose = ("was", "its") if low == 1 else ("were", "their")
            empty = f"{whose} highest frequencies are empty"
            notices.append(f"{low:,} {of} {verb} recorded {at}: {empty}")
        return notices

    def rate(self, totals: Mapping[str, int]) -> Mapping[str, float]:
        """The hours of sound, and the shares of tokens that were cut, and that are unknown."""
        return {"hours": totals["centiseconds"] / 360_000, **rate("tokens", totals)}


class SpeechData(SpeechRecordOptions, Data):
    """Sounds with texts, and what is made of them."""

    recipe = SpeechRecipe
    extras = ("speech",)

    source: SpeechSource
