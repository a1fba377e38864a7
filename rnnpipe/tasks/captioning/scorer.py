"""Scores of given captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.tasks.image_inputs import encode_photo
from rnnpipe.tasks.network import Arrays
from rnnpipe.tasks.predictor import Example
from rnnpipe.tasks.scorer import TARGETS, SequenceScorer
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.image_records import ImageRecordOptions


class CaptionScorer(SequenceScorer):
    """Scores captions of images.

    Args:
        folder: with the tokenizer.
        data: how the records are made.
        **predictor: the arguments of `Predictor`.
    """

    given = "caption"
    window = 1  # images take memory

    def __init__(self, folder: Path, data: ImageRecordOptions, **predictor: Any) -> None:
        super().__init__(Tokenizer.load(folder), **predictor)
        self._data = data

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The pixels of an image, and the tokens of its caption.

        Raises:
            UserError: the image cannot be read.
        """
        given, notes = self.encode_given(inputs)
        image = encode_photo(inputs["image"], self._data)
        return Example({"image": image, **given}, inputs, length=len(given[TARGETS]), notes=notes)

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The images, `(batch, height, width, 3)`, and the tokens, `(batch, time)`."""
        caption, targets = self.collate_given(examples)
        return {
            "image": np.stack([example.arrays["image"] for example in examples]),
            "image_index": np.arange(len(examples), dtype="int32"),
            "caption": caption,
            TARGETS: targets,
        }
