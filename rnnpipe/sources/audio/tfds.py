"""Speech of TensorFlow Datasets, e.g. librispeech and speech_commands."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.settings import setting
from rnnpipe.sources.audio.source import SpeechSource
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.source import Progress
from rnnpipe.sources.tfds import Tfds, flatten_features
from rnnpipe.storage.cache import cache_folder

_TABLE = "utterances.jsonl"
_PROGRESS_EVERY = 100


class SpeechTfds(Tfds, SpeechSource):
    """A data set of TensorFlow Datasets whose examples have a sound and a text or a class.

    Each sound becomes a file: as it is stored, or as a WAV file. The text of a class is its name.

    Example:
        >>> source = SpeechTfds(name="librispeech", audio="speech", speaker="speaker_id")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    audio: str = setting("audio", "the feature with the sound")
    text: str = setting("text", "the feature with the text, or with the class, e.g. label")
    speaker: str | None = setting(None, "the feature with the speaker; null: none")
    rate: int | None = setting(
        None, "samples per second of its sounds; null: what the feature says", ge=1000, le=768_000
    )

    @property
    def fields(self) -> Mapping[str, str]:
        """The features with the sound, the text and the speaker."""
        fields = {"audio": self.audio, "text": self.text, "speaker": self.speaker}
        return {field: feature for field, feature in fields.items() if feature is not None}

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which data set it is, what of it is read, its rate, and what stays in one split."""
        return {**super().settings, "rate": self.rate, "group_by": self.group_by}

    @cached_property
    def root(self) -> Path:
        """The folder of the sound files; a rate that a config names is part of them."""
        return cache_folder("raw") / "tfds_speech" / (f"{self.rate}hz" if self.rate else "own_rate")

    @property
    def notices(self) -> Sequence[str]:
        """Splits that are not read, and speakers of several splits."""
        return [*super().notices, *self._reader.notices]

    @property
    def _feature(self) -> Any:
        return flatten_features(self._builder.info.features)[self.audio]

    @property
    def _is_encoded(self) -> bool:
        """Whether examples have the bytes of sound files."""
        return bool(getattr(self._feature.to_json_content(), "lazy_decode", False))

    def decoders(self) -> Any:
        """Sound files stay as they are."""
        import tensorflow_datasets as tfds

        return {self.audio: tfds.decode.SkipDecoding()} if self._is_encoded else None

    def convert(self, field: str, feature: Any, value: Any) -> Any:
        """Sounds as they are, a class by its name, nothing where there is none."""
        if field == "audio":
            return value
        text = super().convert(field, feature, value)
        return "" if text is None else str(text)

    def write(self, folder: Path, progress: Progress) -> None:
        """Writes a sound file for each example, and a table of them."""
        from rnnpipe.audio import make_wav

        total, done = self.count(), 0
        is_encoded, ending, rate = self._is_encoded, self._ending, self._find_rate()
        with (folder / _TABLE).open("w", encoding="utf-8") as file:
            for split, instruction in self.instructions.items():
                (folder / split).mkdir()
                for number, example in enumerate(self.examples(instruction)):
                    name, sound = f"{split}/{number:07d}{ending}", example.pop("audio")
                    if is_encoded:
                        (folder / name).write_bytes(sound)
                    else:
                        (folder / name).write_bytes(make_wav(sound, rate))
                    row = {"file": name, **example, "split": split}
                    file.write(json.dumps(row) + "\n")
                    done += 1
                    if done % _PROGRESS_EVERY == 0:
                        progress(done, total)

    @property
    def _ending(self) -> str:
        form = self._feature.to_json_content().file_format if self._is_encoded else ""
        return f".{form or 'wav'}"

    def _find_rate(self) -> int:
        """The rate of samples; 0 where files have their own."""
        if self._is_encoded:
            return 0
        rate = self.rate or getattr(self._feature, "sample_rate", None)
        if not rate:
            fix = "write it as data.source.rate"
            raise UserError(f"{self._title}: {self.audio}", "a rate of samples", "none", fix)
        return int(rate)

    def open(self, folder: Path) -> UtteranceTable:
        """The reader of these files."""
        speaker = None if self.speaker is None else "speaker"
        return UtteranceTable(
            path=folder,
            table=Path(_TABLE),
            speaker=speaker,
            split="split",
            group_by=self.group_by,
        )
