"""Continuations of a user's own texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.tasks.batching import pad_tokens
from rnnpipe.tasks.language_model.generation import draw_quantiles, draw_tokens
from rnnpipe.tasks.network import Array, Arrays
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.predictor import Example, Predictor
from rnnpipe.tasks.text_inputs import encode_text, make_up_tokens
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokens import START


class TextPredictor(Predictor):
    """Continues texts, with the functions `draw`, and for streams `step`, of a network.

    Args:
        folder: with the symbols.
        **predictor: the arguments of `Predictor`.
    """

    function = "draw"

    def __init__(self, folder: Path, **predictor: Any) -> None:
        super().__init__(**predictor)
        self._symbols = Symbols.load(folder)

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The symbols of the prompt, and the random numbers of those that follow it."""
        tokens, notes = encode_text(
            self._symbols, inputs["prompt"], "--prompt", max_tokens=None, keep="start"
        )
        arrays = {
            "tokens": np.array([START, *tokens], "int32"),
            "quantiles": draw_quantiles(inputs["seed"], inputs["length"]),
            "temperature": np.array(inputs["temperature"], "float32"),
        }
        options = {"top_k": inputs["top-k"], "top_p": inputs["top-p"]}
        return Example(arrays, inputs, options, len(tokens) + inputs["length"], notes)

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """Prompts, `(batch, time)`, and numbers, `(batch, symbols)`: padded, and read by length."""
        return {
            "tokens": pad_tokens([example.arrays["tokens"].tolist() for example in examples]),
            "quantiles": _pad([example.arrays["quantiles"] for example in examples]),
            "temperature": np.stack([example.arrays["temperature"] for example in examples]),
        }

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[Prediction]:
        """Texts that begin with their prompts, with the mean probability of a drawn symbol."""
        predictions = []
        for row, example in enumerate(examples):
            length = len(example.arrays["quantiles"])
            drawn = outputs["tokens"][row, :length].tolist()
            tokens = [*example.arrays["tokens"].tolist(), *drawn]
            probability = float(np.exp(outputs["log_probs"][row, :length].mean()))
            answers = [Answer(self._symbols.decode(tokens), probability)]
            predictions.append(Prediction(answers, notes=example.notes))
        return predictions

    def make_up(self, random: np.random.Generator) -> Example:
        """A few symbols, and the numbers of as many that follow them."""
        tokens = make_up_tokens(random, self._symbols.size)
        arrays = {
            "tokens": np.array([START, *tokens], "int32"),
            "quantiles": random.random(2 * len(tokens), dtype=np.float32),
            "temperature": np.array(random.uniform(0.5, 2.0), "float32"),
        }
        return Example(arrays, {})

    def stream_example(self, example: Example) -> Iterator[str]:
        """The prompt, then each symbol as soon as it is drawn."""
        return self._symbols.stream(self._stream_tokens(example))

    def _stream_tokens(self, example: Example) -> Iterator[int]:
        text = example.arrays["tokens"].tolist()
        quantiles, temperature = example.arrays["quantiles"], float(example.arrays["temperature"])
        yield from text[1:]
        yield from draw_tokens(
            self.network["step"], text, quantiles, temperature, **example.options
        )


def _pad(rows: Sequence[Array]) -> Array:
    padded = np.zeros((len(rows), max(map(len, rows))), "float32")
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded
