"""The classes of a user's own texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.records.layout import LABELS
from rnnpipe.records.names import read_names
from rnnpipe.report.ranking import rank
from rnnpipe.tasks.batching import pad_tokens
from rnnpipe.tasks.network import Array, Arrays, softmax
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.predictor import Example, Predictor
from rnnpipe.tasks.text_inputs import encode_text, make_up_tokens
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.text_classes import ClassTextOptions


class TextClassPredictor(Predictor):
    """Classifies texts, with the function `call` of a network.

    Args:
        folder: with the tokenizer and the classes.
        options: how texts become tokens.
        **predictor: the arguments of `Predictor`.
    """

    def __init__(self, folder: Path, options: ClassTextOptions, **predictor: Any) -> None:
        super().__init__(**predictor)
        self._options, self._tokenizer = options, Tokenizer.load(folder)
        self._labels = read_names(folder / LABELS)

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The tokens of a text.

        Raises:
            UserError: the text has no word.
        """
        text, limit, keep = inputs["text"], self._options.max_tokens, self._options.keep
        tokens, notes = encode_text(self._tokenizer, text, "--text", max_tokens=limit, keep=keep)
        if not tokens:
            raise UserError("--text", "a text", repr(text), "write a sentence")
        arrays = {"tokens": np.array(tokens, "int32")}
        return Example(arrays, inputs, length=len(tokens), notes=notes)

    def make_up(self, random: np.random.Generator) -> Example:
        """The tokens of no text."""
        vocabulary, limit = self._tokenizer.vocabulary_size, self._options.max_tokens
        tokens = make_up_tokens(random, vocabulary, limit)
        return Example({"tokens": tokens}, {}, length=len(tokens))

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The tokens, `(batch, time)`."""
        return {"tokens": pad_tokens([example.arrays["tokens"].tolist() for example in examples])}

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[Prediction]:
        """The likeliest classes, and the attention over the tokens, `(glimpses, tokens)`."""
        probabilities, predictions = softmax(outputs["logits"]), []
        for row, example in enumerate(examples):
            top = rank(probabilities[row], self._labels)
            alignments = None
            if "alignments" in outputs:
                alignments = outputs["alignments"][row, :, : example.length].copy()
            draw = partial(
                _draw, alignments, example, self._tokenizer, self._options.keep, answers=top
            )
            answers = [Answer(*answer) for answer in top]
            predictions.append(
                Prediction(answers, alignments=alignments, notes=example.notes, draw=draw)
            )
        return predictions


def _draw(
    alignments: Array | None,
    example: Example,
    tokenizer: Tokenizer,
    keep: Any,
    *,
    answers: Sequence[tuple[str, float]],
) -> bytes:
    from rnnpipe.report.text_heatmap import draw_text_heatmap
    from rnnpipe.tasks.text_classification.drawing import highlight_text

    row = {"text": example.inputs["text"], "tokens": example.arrays["tokens"]}
    return draw_text_heatmap(highlight_text(alignments, row, tokenizer, keep), answers)
