"""The classes of a user's own images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.records.layout import LABELS
from rnnpipe.records.names import read_names
from rnnpipe.report.ranking import rank
from rnnpipe.sources.images.decoding import Photo
from rnnpipe.tasks.image_inputs import encode_photo, make_up_pixels, read_photo
from rnnpipe.tasks.network import Array, Arrays, softmax
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.predictor import Example, Predictor
from rnnpipe.transforms.recipes.image_records import ImageRecordOptions


class ImageClassPredictor(Predictor):
    """Classifies images, with the function `call` of a network.

    Args:
        folder: with the classes.
        data: how the records are made.
        **predictor: the arguments of `Predictor`.
    """

    window = 1  # images take memory

    def __init__(self, folder: Path, data: ImageRecordOptions, **predictor: Any) -> None:
        super().__init__(**predictor)
        self._data = data
        self._labels = read_names(folder / LABELS)

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The pixels of an image.

        Raises:
            UserError: the image cannot be read.
        """
        return Example({"image": encode_photo(inputs["image"], self._data)}, inputs)

    def make_up(self, random: np.random.Generator) -> Example:
        """Noise."""
        return Example({"image": make_up_pixels(random, self._data)}, {})

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The images, `(batch, height, width, 3)`."""
        return {"image": np.stack([example.arrays["image"] for example in examples])}

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[Prediction]:
        """The likeliest classes, and the attention of each glimpse, `(glimpses, rows, columns)`."""
        probabilities, predictions = softmax(outputs["logits"]), []
        for row, example in enumerate(examples):
            top = rank(probabilities[row], self._labels)
            alignments = outputs["alignments"][row].copy() if "alignments" in outputs else None
            draw = partial(_draw, example.inputs["image"], self._data, alignments, top)
            answers = [Answer(*answer) for answer in top]
            predictions.append(Prediction(answers, alignments=alignments, draw=draw))
        return predictions


def _draw(
    photo: Photo,
    data: ImageRecordOptions,
    alignments: Array | None,
    answers: Sequence[tuple[str, float]],
) -> bytes:
    from rnnpipe.tasks.image_classification.drawing import draw_glimpse_path

    glimpses = np.zeros((0, 1, 1)) if alignments is None else alignments
    return draw_glimpse_path(read_photo(photo, data), glimpses, answers=answers)
