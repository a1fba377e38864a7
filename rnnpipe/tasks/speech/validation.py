"""Scores of the validation split while a model is trained."""

from collections.abc import Mapping
from typing import Any

import keras

from rnnpipe.metrics.speech import score_transcripts
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.speech.recognition import Recognizer
from rnnpipe.tasks.speech.results import normalize_text
from rnnpipe.tasks.validation import ValidationScores
from rnnpipe.text.tokenizer import Tokenizer


class SpeechScores(ValidationScores):
    """Scores the validation split with a model whose weights change.

    Args:
        recognizer: how the model decodes: greedily, to be quick.
        records: the records.
        trainer: the same model, compiled.
        batches: of the validation split in the records' order, for the loss too.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        records: RecordsDirectory,
        trainer: keras.Model,
        batches: Any,
    ) -> None:
        super().__init__(trainer, batches)
        self._recognizer = recognizer
        self._tokenizer = Tokenizer.load(records.path)
        texts = (row["text"] for row in records.read("validation", ["text"]))
        self._references = [normalize_text(text, self._tokenizer) for text in texts]

    def decode_scores(self) -> Mapping[str, float]:
        """The scores of the texts that the model finds."""
        transcripts = self._recognizer(inputs for inputs, _ in self._batches)
        texts = [self._tokenizer.decode(each[0].tokens) if each else "" for each in transcripts]
        scores = score_transcripts(texts, self._references)
        return {name: scores[name] for name in ("wer", "cer", "ser")}
