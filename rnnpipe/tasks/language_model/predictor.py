"""Continuations of a user's own texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.output import write_notice
from rnnpipe.parts.search import SamplingOptions
from rnnpipe.tasks.batching import pad_tokens
from rnnpipe.tasks.inputs import read_settings
from rnnpipe.tasks.language_model.generation import draw_tokens
from rnnpipe.tasks.network import Array, Arrays
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.predictor import Example, Predictor, Row
from rnnpipe.tasks.text_inputs import encode_text
from rnnpipe.text.symbols import Symbols


class TextPredictor(Predictor):
    """Continues texts, with the function `draw` of a network.

    Args:
        folder: with the symbols.
        sampling: how they are drawn where the inputs do not say.
        **predictor: the arguments of `Predictor`.
    """

    def __init__(self, folder: Path, sampling: SamplingOptions, **predictor: Any) -> None:
        super().__init__(**predictor)
        self._sampling, self._symbols = sampling, Symbols.load(folder)

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The symbols of the prompt; texts of the same sampling go together."""
        tokens, notes = encode_text(
            self._symbols, inputs["prompt"], "--prompt", max_tokens=None, keep="start"
        )
        options = {name: inputs[name] for name in inputs if name not in ("prompt", "seed")}
        arrays = {"tokens": np.array(tokens, "int32")}
        return Example(arrays, inputs, options, len(tokens), notes)

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The symbols of the prompts, `(batch, time)`; the network reads them by their lengths."""
        return {"tokens": pad_tokens([example.arrays["tokens"].tolist() for example in examples])}

    def compute(self, examples: Sequence[Example]) -> Arrays:
        """The symbols that are drawn and their log-probabilities, `(batch, time)`."""
        tokens, log_probs = zip(*self._draw(examples), strict=True)
        return {"tokens": np.stack(tokens, axis=1), "log_probs": np.stack(log_probs, axis=1)}

    def _draw(self, examples: Sequence[Example]) -> Iterator[tuple[Array, Array]]:
        inputs = examples[0].inputs
        return draw_tokens(
            self.network["draw"],
            [example.arrays["tokens"].tolist() for example in examples],
            read_settings(self._sampling, inputs),
            inputs["length"],
            [example.inputs["seed"] for example in examples],
        )

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[Prediction]:
        """Texts that begin with their prompts, with the mean probability of a drawn symbol."""
        predictions = []
        for row, example in enumerate(examples):
            tokens = [*example.arrays["tokens"].tolist(), *outputs["tokens"][row].tolist()]
            probability = float(np.exp(outputs["log_probs"][row].mean()))
            answers = [Answer(self._symbols.decode(tokens), probability)]
            predictions.append(Prediction(answers, notes=example.notes))
        return predictions

    def stream(self, inputs: Row) -> Iterator[str]:
        """The prompt, then each symbol as soon as it is drawn.

        Raises:
            UserError: an input is missing, unknown or malformed.
        """
        example = self.encode(self.parse(inputs))
        for note in example.notes:
            write_notice(note)
        return self._symbols.stream(self._stream_tokens(example))

    def _stream_tokens(self, example: Example) -> Iterator[int]:
        yield from example.arrays["tokens"].tolist()
        for tokens, _ in self._draw([example]):
            yield int(tokens[0])
