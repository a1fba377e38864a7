"""Texts of a user's own recordings, as a whole or while they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from rnnpipe.audio import LogMel, LogMelOptions, LogMelStream, to_float
from rnnpipe.errors import UserError
from rnnpipe.models.speech_recognizer import CTC, FEATURES, LENGTHS
from rnnpipe.tasks.network import Arrays, find_limit
from rnnpipe.tasks.prediction import Answer, Prediction, Segment
from rnnpipe.tasks.predictor import Example, Predictor, Result, Row
from rnnpipe.tasks.speech.recognition import Recognizer
from rnnpipe.tasks.speech.sound import read_chunks, read_samples
from rnnpipe.tasks.speech.streaming import stream_words
from rnnpipe.tasks.speech.transcripts import Array, Transcript, find_words, split_pieces
from rnnpipe.text.tokenizer import Tokenizer

_MADE_UP = 4  # steps at most


class SpeechPredictor(Predictor):
    """Transcribes recordings with the functions of a network.

    Args:
        folder: with the tokenizer.
        log_mel: the features that the network reads.
        recognizer: finds the texts.
        frames_of_step: the frames of a step of the network.
        **predictor: the arguments of `Predictor`.
    """

    window = 4
    max_length = 60_000  # frames in memory, about

    def __init__(
        self,
        folder: Path,
        log_mel: LogMelOptions,
        recognizer: Recognizer,
        frames_of_step: int,
        **predictor: Any,
    ) -> None:
        super().__init__(**predictor)
        self._tokenizer = Tokenizer.load(folder)
        self._log_mel, self._recognizer = log_mel, recognizer
        self._frames, self._step = frames_of_step, frames_of_step * log_mel.hop

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The features of a recording.

        Raises:
            UserError: it cannot be read, or is too short.
        """
        n_best = self._recognizer.count(inputs["n-best"])
        samples = read_samples(inputs["audio"], self._log_mel.rate)
        features, notes = LogMel(self._log_mel)(to_float(samples)), list[str]()
        if not len(features):
            expected, got = f"a sound of at least {self._log_mel.window:g} s", "a shorter one"
            raise UserError("--audio", expected, got, "name a longer one")
        limit = find_limit(self.network.get(self.function), FEATURES)
        if limit is not None and len(features) > limit:
            features = features[:limit]
            seconds = limit * self._log_mel.hop
            notes.append(f"--audio: the model reads its first {seconds:g} seconds alone")
        return Example({FEATURES: features}, inputs, {"n_best": n_best}, len(features), notes)

    def make_up(self, random: np.random.Generator) -> Example:
        """Features of noise."""
        length = int(random.integers(1, _MADE_UP * self._frames + 1))
        features = random.normal(-5, 3, (length, self._log_mel.mels)).astype("float32")
        return Example({FEATURES: features}, {}, length=length)

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The features, `(batch, frames, mels)`, padded with zeros, and how many there are."""
        lengths = np.array([example.length for example in examples], "int32")
        longest = -(-int(lengths.max()) // self._frames) * self._frames
        features = np.zeros((len(examples), longest, self._log_mel.mels), "float32")
        for row, example in enumerate(examples):
            features[row, : example.length] = example.arrays[FEATURES]
        return {FEATURES: features, LENGTHS: lengths}

    def compute(self, examples: Sequence[Example]) -> Arrays:
        """What the network computes of a batch of recordings."""
        return self._recognizer.compute(self.collate(examples), n_best=_n_best(examples))

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[Result]:
        """The texts of each recording, and the times of its words."""
        lengths = [example.length for example in examples]
        found = self._recognizer.decode(outputs, lengths, n_best=_n_best(examples))
        pairs = zip(examples, found, strict=True)
        return [
            self._answer(example, transcripts, outputs, row)
            for row, (example, transcripts) in enumerate(pairs)
        ]

    def _answer(
        self, example: Example, transcripts: Sequence[Transcript], outputs: Arrays, row: int
    ) -> Result:
        if not transcripts:
            fix = "its training has diverged: train it again with a lower learning rate"
            return UserError("--audio", "a network that answers with numbers", "NaN", fix)
        answers = [
            Answer(self._tokenizer.decode(one.tokens), one.probability, one.score)
            for one in transcripts
        ]
        best = transcripts[0]
        pieces = split_pieces(best.tokens, self._tokenizer)
        words = find_words(best, pieces, self._step)
        logits = outputs[CTC][row].copy() if CTC in outputs else None
        features, hop = example.arrays[FEATURES], self._log_mel.hop
        draw = partial(_draw, features, best, pieces, words, logits, hop, self._step)
        timeline = [Segment(w.start, w.end, w.text, w.probability) for w in words]
        return Prediction(
            answers, timeline, alignments=best.alignment, notes=example.notes, draw=draw
        )

    def stream(self, inputs: Row) -> Iterator[str]:
        """The words of a recording, each as soon as it is known.

        Only some samples and the network's states are in memory: a recording may be of any length.

        Raises:
            UserError: the recording cannot be read, the network needs all of it at once, or a
                language model takes part in its search.
        """
        self._recognizer.check_stream()
        sound = self.parse(inputs)["audio"]
        stream = LogMelStream(LogMel(self._log_mel))
        chunks = read_chunks(sound, self._log_mel.rate)
        return self._stream(stream.push(to_float(samples)) for samples in chunks)

    def stream_example(self, example: Example) -> Iterator[str]:
        """The words of `stream` for features in memory."""
        return self._stream([example.arrays[FEATURES]])

    def _stream(self, features: Iterable[Array]) -> Iterator[str]:
        return stream_words(
            self.network["step"], features, self._tokenizer, self._frames, self._step
        )


def _n_best(examples: Sequence[Example]) -> int | None:
    """The texts of each recording of a batch, whose rows have the same options."""
    return cast("int | None", examples[0].options.get("n_best"))


class SearchingSpeechPredictor(SpeechPredictor):
    """The same of a network with a decoder, by its function `search`."""

    function = "search"


def _draw(*arguments: Any) -> bytes:
    from rnnpipe.tasks.speech.drawing import draw_recognition, make_recognition

    return draw_recognition(make_recognition(*arguments))
