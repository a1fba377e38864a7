"""Scores of given translations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.batching import pad_tokens
from rnnpipe.tasks.network import Arrays
from rnnpipe.tasks.predictor import Example
from rnnpipe.tasks.scorer import TARGETS, SequenceScorer
from rnnpipe.tasks.translation.predictor import encode_source
from rnnpipe.text.tokenizer import Tokenizer


class TranslationScorer(SequenceScorer):
    """Scores translations of texts.

    Args:
        folder: with the tokenizers of both sides.
        max_tokens: where longer sources are cut.
        **predictor: the arguments of `Predictor`.
    """

    given = "translation"

    def __init__(self, folder: Path, max_tokens: int, **predictor: Any) -> None:
        super().__init__(Tokenizer.load(folder / TARGET), **predictor)
        self._source, self._max_tokens = Tokenizer.load(folder / SOURCE), max_tokens

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The tokens of a text and of its translation.

        Raises:
            UserError: no token is left of the text.
        """
        tokens, notes = encode_source(self._source, inputs["text"], self._max_tokens)
        given, further = self.encode_given(inputs)
        arrays = {"source": np.array(tokens, "int32"), **given}
        length = len(tokens) + len(given[TARGETS])
        return Example(arrays, inputs, length=length, notes=[*notes, *further])

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The tokens of both, `(batch, source_time)` and `(batch, target_time)`."""
        source = pad_tokens([example.arrays["source"].tolist() for example in examples])
        target, targets = self.collate_given(examples)
        return {"source": source, "target": target, TARGETS: targets}
