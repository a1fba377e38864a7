"""Scores of given texts under a language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.tasks.batching import pad_tokens
from rnnpipe.tasks.network import Array, Arrays, take_states
from rnnpipe.tasks.predictor import Example, Predictor
from rnnpipe.tasks.scored_text import ScoredText, score_text, score_tokens
from rnnpipe.tasks.scorer import TARGETS
from rnnpipe.tasks.text_inputs import encode_text
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokens import END, START

_CHUNK = 128  # symbols that are read at once: the logits of all would take too much memory


class TextScorer(Predictor):
    """Scores texts, each as a document of its own, which has a start.

    It has an end where the symbols are the tokens of a tokenizer: then a text is a line.

    Args:
        folder: with the symbols.
        **predictor: the arguments of `Predictor`.
    """

    function = "score"
    max_length = 1 << 22

    def __init__(self, folder: Path, **predictor: Any) -> None:
        super().__init__(**predictor)
        self._symbols = Symbols.load(folder)

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The symbols of a text.

        Raises:
            UserError: it has none.
        """
        text = self._end(inputs["text"])
        tokens, notes = encode_text(self._symbols, text, "--text", max_tokens=None, keep="start")
        if not tokens:
            raise UserError("--text", "a text", repr(inputs["text"]), "write at least one symbol")
        if END in tokens[:-1]:
            fix = "score each line by itself"
            raise UserError("--text", "one line, as the model reads", "several", fix)
        return Example({TARGETS: np.array(tokens, "int32")}, inputs, {}, len(tokens), notes)

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """What is read, and what comes next, padded, `(batch, time)` both."""
        rows = [example.arrays[TARGETS].tolist() for example in examples]
        read = pad_tokens([[START, *row[:-1]] for row in rows])
        return {"tokens": read, TARGETS: pad_tokens(rows)}

    def compute(self, examples: Sequence[Example]) -> Arrays:
        """The log-probabilities, chunk after chunk with the states of the one before."""
        arrays, states = self.collate(examples), dict[str, Array]()
        log_probs = []
        for start in range(0, arrays[TARGETS].shape[1], _CHUNK):
            chunk = {name: each[:, start : start + _CHUNK] for name, each in arrays.items()}
            outputs = self.network[self.function]({**chunk, **states})
            states = take_states(outputs)
            log_probs.append(outputs["log_probs"])
        return {"log_probs": np.concatenate(log_probs, axis=1)}

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[ScoredText]:
        """The log-probabilities of the symbols of each text."""
        scored = []
        for example, log_probs in zip(examples, outputs["log_probs"], strict=True):
            text = example.inputs["text"]
            symbols = self._symbols.split(self._end(text))
            scored.append(score_text(text, score_tokens(symbols, log_probs), example.notes))
        return scored

    def _end(self, text: str) -> str:
        """The text with the line feed that ends it, where texts end."""
        return f"{text}\n" if self._symbols.kind == "token" else text
