"""Captions of a user's own images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.sources.images.decoding import Photo
from rnnpipe.sources.images.fit import Fit
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.captioning.search import read_captions
from rnnpipe.tasks.constraints import SearchInputs
from rnnpipe.tasks.image_inputs import encode_photo, make_up_pixels, show_photo
from rnnpipe.tasks.network import Arrays
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.predictor import Example, Predictor, Result
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.image_records import ImageRecordOptions

_PANEL = 240  # the width of each picture of the strip, in pixels


class CaptionPredictor(Predictor):
    """Captions images, with the function `search` of a network.

    Args:
        folder: with the tokenizer.
        data: how the records are made.
        options: of the search.
        **predictor: the arguments of `Predictor`.
    """

    function = "search"
    window = 1  # images take memory

    def __init__(
        self,
        folder: Path,
        data: ImageRecordOptions,
        options: BeamSearchOptions,
        **predictor: Any,
    ) -> None:
        super().__init__(**predictor)
        self._data, self._options, self._tokenizer = data, options, Tokenizer.load(folder)
        self._search_inputs = SearchInputs(self._tokenizer, options)

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The pixels of an image, and what is required of its captions.

        Raises:
            UserError: the image cannot be read, `n-best` exceeds the beam, or a phrase or prefix
                cannot be written.
        """
        options = self._search_inputs.read(inputs)
        image = encode_photo(inputs["image"], self._data)
        return Example({"image": image}, inputs, options)

    def make_up(self, random: np.random.Generator) -> Example:
        """Noise."""
        return Example({"image": make_up_pixels(random, self._data)}, {})

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The images, `(batch, height, width, 3)`."""
        return {"image": np.stack([example.arrays["image"] for example in examples])}

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[Result]:
        """The likeliest captions, with the mean probability of a token."""
        found = read_captions(outputs, self._options)
        return [self._answer(*each) for each in zip(examples, found, strict=True)]

    def _answer(self, example: Example, hypotheses: Sequence[Hypothesis]) -> Result:
        if not hypotheses:
            expected, fix = "a caption from this model", "train it again with a lower learning rate"
            return UserError("--image", expected, "none: its training diverged", fix)
        answers = [
            Answer(self._tokenizer.decode(one.tokens), one.probability, one.score)
            for one in hypotheses[: self._search_inputs.count(example.inputs)]
        ]
        best = hypotheses[0]
        pieces = [self._tokenizer.pieces[token] for token in best.tokens]
        draw = partial(_draw, example.inputs["image"], self._data.image.fit, pieces, best)
        return Prediction(answers, alignments=best.alignment, draw=draw)


def _draw(photo: Photo, fit: Fit, pieces: Sequence[str], best: Hypothesis) -> bytes:
    from rnnpipe.tasks.captioning.report import strip

    return strip(show_photo(photo, fit), pieces, best, panel=_PANEL)
