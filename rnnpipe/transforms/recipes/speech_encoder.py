"""Records of speech from references: sounds are read, checked and converted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from rnnpipe.audio import LogMel, LogMelOptions, to_float
from rnnpipe.errors import BadRecord
from rnnpipe.sources.audio.recording import LastRecording, Recording, Sound
from rnnpipe.sources.source import Reference
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.base import Dropped, Encoded, Outcome
from rnnpipe.transforms.recipes.speech import SpeechRecipe
from rnnpipe.transforms.recipes.tokenization import TextEncoder, measure

_SILENCE = 8  # of 65,536 levels, between which a recording of nothing stays


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
    return LogMel(options)
