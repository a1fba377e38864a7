"""How records of speech are made: sound at one rate, as samples or log-mel features, and tokens."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from rnnpipe.audio import LogMel, LogMelOptions, to_float
from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.specs import SPEECH, SPEECH_FEATURES, RecordSpec
from rnnpipe.settings import Settings, setting
from rnnpipe.sources.audio.recording import LastRecording, Recording, Sound
from rnnpipe.sources.audio.source import SpeechSource
from rnnpipe.sources.source import Reference
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Dropped, Encoded, Outcome, Recipe
from rnnpipe.transforms.recipes.tokenization import (
    TextEncoder,
    TextOptions,
    count_words,
    measure,
    rate,
)

_TEXT, _SPEAKERS = "text", "speakers"
_SILENCE = 8  # of 65,536 levels, between which a recording of nothing stays


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


@dataclass(frozen=True, slots=True)
class SpeechEncoder(TextEncoder):
    """Makes records of references.

    Args:
        recipe: how.
        tokenizer: of the texts.
        last: the recording that was read last.
    """

    recipe: SpeechRecipe
    tokenizer: Tokenizer
    last: LastRecording = field(default_factory=LastRecording, repr=False, compare=False)

    def encode_all(self, references: Iterable[Reference]) -> Iterator[tuple[Reference, Outcome]]:
        """The outcome of each reference of a shard, in order; shards share no open recording."""
        # Not `super()`, which a dataclass with slots does not have.
        return TextEncoder.encode_all(replace(self, last=LastRecording()), references)

    def tokenize(self, references: Sequence[Reference]) -> list[list[int]]:
        """The tokens of each text."""
        return self.tokenizer.encode_batch(each.fields["text"] for each in references)

    def make(self, reference: Reference, tokens: list[int]) -> Encoded:
        """The record of one utterance.

        Raises:
            BadRecord: no token is left, or the sound cannot be read, or is silence.
            Dropped: it is too short, too long, or a training utterance of too many tokens.
        """
        text, fields = self.recipe.text, reference.fields
        if not tokens:
            raise BadRecord("encode text", "no token is left of the text")
        if len(tokens) > text.max_tokens and reference.split == "train":
            raise Dropped(f"a training utterance of more than {text.max_tokens} tokens")
        recording = self.last.open(fields["sound"], self.recipe.sound.rate)
        sound = self._read(recording, fields)
        seconds = len(sound.samples) / self.recipe.sound.rate
        values = {
            "utterance_id": reference.key,
            **self._convert(sound),
            "text": fields["text"],
            "tokens": tokens[: text.max_tokens],
            "speaker": fields["speaker"],
            "duration": seconds,
        }
        measures = {
            "utterances": 1,
            "centiseconds": round(100 * seconds),
            "clipped": int(sound.clipped > 0),
            "samples_clipped": sound.clipped,
            "upsampled": int(sound.source_rate < self.recipe.sound.rate),
            **measure("tokens", tokens, text.max_tokens),
        }
        return Encoded(values, measures, {"recording": recording.digest})

    def _read(self, recording: Recording, fields: Mapping[str, Any]) -> Sound:
        options = self.recipe.sound
        too_long = Dropped(f"a sound of more than {options.max_seconds:g} seconds")
        start, end = fields["start"], fields["end"]
        if end is not None and end - (start or 0) > options.max_seconds:
            raise too_long
        sound = recording.read(start, end, options.max_seconds)
        if len(sound.samples) > options.max_seconds * options.rate:
            raise too_long
        if len(sound.samples) < options.min_seconds * options.rate:
            raise Dropped(f"a sound of less than {options.min_seconds:g} seconds")
        if int(sound.samples.max()) - int(sound.samples.min()) <= _SILENCE:
            raise BadRecord("decode sound", "there is nothing but silence")
        return sound

    def _convert(self, sound: Sound) -> dict[str, Any]:
        if self.recipe.features is None:
            return {"samples": sound.samples}
        features = _make_log_mel(self.recipe.features)(to_float(sound.samples))
        if not len(features):
            raise Dropped("a sound shorter than a frame of features")
        return {"features": features}


@lru_cache(maxsize=1)
def _make_log_mel(options: LogMelOptions) -> LogMel:
    return options.make()


class SpeechData(SpeechRecordOptions, Data):
    """Sounds with texts, and what is made of them."""

    recipe = SpeechRecipe
    extras = ("speech",)

    source: SpeechSource
