"""Answers to a user's own questions about images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.records.layout import ANSWERS
from rnnpipe.records.names import read_names
from rnnpipe.sources.images.decoding import Photo
from rnnpipe.sources.images.fit import Fit
from rnnpipe.tasks.batching import pad_tokens
from rnnpipe.tasks.image_inputs import encode_photo, make_up_pixels, show_photo
from rnnpipe.tasks.network import Array, Arrays
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.predictor import Example, Predictor
from rnnpipe.tasks.text_inputs import encode_text, make_up_tokens
from rnnpipe.tasks.vqa.results import TopAnswers
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.vqa import VqaRecordOptions


class VqaPredictor(Predictor):
    """Answers questions about images, with the function `call` of a network.

    Args:
        folder: with the tokenizer of the questions and the answers.
        data: how the records are made.
        **predictor: the arguments of `Predictor`.
    """

    window = 1  # images take memory

    def __init__(self, folder: Path, data: VqaRecordOptions, **predictor: Any) -> None:
        super().__init__(**predictor)
        self._data, self._tokenizer = data, Tokenizer.load(folder)
        self._answers = read_names(folder / ANSWERS)

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The pixels of the image and the tokens of the question.

        Raises:
            UserError: the image cannot be read, or the question has no word.
        """
        image, question = encode_photo(inputs["image"], self._data), inputs["question"]
        limit = self._data.question.max_tokens
        tokens, notes = encode_text(
            self._tokenizer, question, "--question", max_tokens=limit, keep="start"
        )
        if not tokens:
            raise UserError("--question", "a question", repr(question), "write a sentence")
        arrays = {"image": image, "question": np.array(tokens, "int32")}
        return Example(arrays, inputs, length=len(tokens), notes=notes)

    def make_up(self, random: np.random.Generator) -> Example:
        """Noise, and the tokens of no question."""
        vocabulary, limit = self._tokenizer.vocabulary_size, self._data.question.max_tokens
        tokens = make_up_tokens(random, vocabulary, limit)
        arrays = {"image": make_up_pixels(random, self._data), "question": tokens}
        return Example(arrays, {}, length=len(tokens))

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """Images, the image of each question, and its tokens, `(batch, time)`."""
        return {
            "image": np.stack([example.arrays["image"] for example in examples]),
            "image_index": np.arange(len(examples), dtype="int32"),
            "question": pad_tokens([example.arrays["question"].tolist() for example in examples]),
        }

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[Prediction]:
        """The likeliest answers and their attention, `(glimpses, rows, columns)`."""
        top, fit = TopAnswers.of(outputs["logits"]), self._data.image.fit
        predictions = []
        for row, example in enumerate(examples):
            answers = [
                Answer(self._answers[number], float(probability))
                for number, probability in zip(top.ids[row], top.probabilities[row], strict=True)
            ]
            alignments = outputs["alignments"][row].copy()
            image, question = example.inputs["image"], example.inputs["question"]
            draw = partial(_draw, image, fit, question, alignments, answers)
            predictions.append(
                Prediction(answers, alignments=alignments, notes=example.notes, draw=draw)
            )
        return predictions


def _draw(
    photo: Photo, fit: Fit, question: str, alignments: Array, answers: Sequence[Answer]
) -> bytes:
    from rnnpipe.report.image_heatmap import draw_glimpses

    top = [(answer.text, answer.probability) for answer in answers]
    return draw_glimpses(show_photo(photo, fit), alignments, question, top)
