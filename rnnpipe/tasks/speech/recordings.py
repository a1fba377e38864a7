"""The pictures and sounds of a few recordings of a split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.audio import LogMelOptions
from rnnpipe.models.speech_recognizer import CTC, FEATURES, LENGTHS
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.speech.drawing import draw_recognition, make_recognition
from rnnpipe.tasks.speech.recognition import Recognizer
from rnnpipe.tasks.speech.results import RecognizedSplit
from rnnpipe.tasks.speech.transcripts import Array, Transcript, split_pieces
from rnnpipe.text.tokenizer import Tokenizer

_SAMPLES = "samples"


@dataclass(frozen=True)
class Drawing:
    """Draws recordings of a split.

    Args:
        recognizer: the model, whose outputs are computed again.
        batches: of `features` and `lengths`, in the records' order.
        recognized: the texts of the split.
        tokenizer: of the texts.
        log_mel: the features.
        step: seconds of a step of the model.
    """

    recognizer: Recognizer
    batches: Iterable[Mapping[str, Any]]
    recognized: RecognizedSplit
    tokenizer: Tokenizer
    log_mel: LogMelOptions
    step: float

    def __call__(self, rows: Sequence[int]) -> list[bytes]:
        """A PNG of each row."""
        pictures: dict[int, bytes] = {}
        first = 0
        for batch in self.batches:
            arrays = {name: np.asarray(batch[name]) for name in (FEATURES, LENGTHS)}
            count = len(arrays[LENGTHS])
            if chosen := [row for row in rows if first <= row < first + count]:
                places = [row - first for row in chosen]
                own = {name: array[places] for name, array in arrays.items()}
                logits = self.recognizer.compute(own).get(CTC)
                for place, row in enumerate(chosen):
                    features = own[FEATURES][place, : own[LENGTHS][place]]
                    of_row = None if logits is None else logits[place]
                    pictures[row] = self._draw(row, features, of_row)
            first += count
        return [pictures[row] for row in rows]

    def _draw(self, row: int, features: Array, logits: Array | None) -> bytes:
        transcripts, words = self.recognized.transcripts[row], self.recognized.words[row]
        best = transcripts[0] if transcripts else Transcript([], 0.0, 0.0)
        pieces = split_pieces(best.tokens, self.tokenizer)
        recognition = make_recognition(
            features, best, pieces, words, logits, self.log_mel.hop, self.step
        )
        return draw_recognition(recognition)


@dataclass(frozen=True)
class RecordedSounds:
    """Reads the samples of recordings of a split.

    Args:
        records: the records.
        split: which of their splits.
    """

    records: RecordsDirectory
    split: str

    def __call__(self, rows: Sequence[int]) -> list[Array | None]:
        """The samples of each row, int16; None where the records hold features."""
        if _SAMPLES not in self.records.spec.fields:
            return [None for _ in rows]
        sounds = {
            row: record[_SAMPLES]
            for row, record in enumerate(self.records.read(self.split, [_SAMPLES]))
            if row in rows
        }
        return [sounds[row] for row in rows]
