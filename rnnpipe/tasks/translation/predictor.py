"""Translations of a user's own texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.batching import pad_tokens
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.constraints import SearchInputs
from rnnpipe.tasks.network import Arrays
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.predictor import Example, Predictor, Result
from rnnpipe.tasks.text_inputs import encode_text, make_up_tokens
from rnnpipe.tasks.translation.config import TranslationSearchOptions
from rnnpipe.tasks.translation.search import read_translations
from rnnpipe.tasks.translation.texts import TranslationTexts
from rnnpipe.text.tokenizer import Tokenizer


class TranslationPredictor(Predictor):
    """Translates texts, with the function `search` of a network.

    Args:
        folder: with the tokenizers of both sides.
        options: of the search.
        max_tokens: where longer texts are cut.
        lowercase: whether case counts for nothing where candidates are compared.
        **predictor: the arguments of `Predictor`.
    """

    function = "search"

    def __init__(
        self,
        folder: Path,
        options: TranslationSearchOptions,
        max_tokens: int,
        *,
        lowercase: bool,
        **predictor: Any,
    ) -> None:
        super().__init__(**predictor)
        self._options, self._max_tokens = options, max_tokens
        self._source, self._target = (Tokenizer.load(folder / side) for side in (SOURCE, TARGET))
        self._texts = TranslationTexts(folder, options, lowercase=lowercase)
        self._search_inputs = SearchInputs(self._target, options)

    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """The tokens of a text, and what is required of its translations.

        Raises:
            UserError: no token is left of the text, `n-best` exceeds the beam, or a phrase or
                prefix cannot be written.
        """
        tokens, notes = encode_source(self._source, inputs["text"], self._max_tokens)
        source = np.array(tokens, "int32")
        options = self._search_inputs.read(inputs)
        return Example({"source": source}, inputs, options, len(tokens), notes)

    def make_up(self, random: np.random.Generator) -> Example:
        """The tokens of no text."""
        tokens = make_up_tokens(random, self._source.vocabulary_size, self._max_tokens)
        return Example({"source": tokens}, {}, length=len(tokens))

    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The tokens, `(batch, source_time)`."""
        return {"source": pad_tokens([example.arrays["source"].tolist() for example in examples])}

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[Result]:
        """The likeliest translations, with the mean probability of a token."""
        sources = [example.arrays["source"].tolist() for example in examples]
        found = read_translations(outputs, sources, self._options)
        return [self._answer(*each) for each in zip(examples, found, strict=True)]

    def _answer(self, example: Example, hypotheses: Sequence[Hypothesis]) -> Result:
        if not hypotheses:
            fix = "raise evaluate.search.beam_width or max_length in the run's config.yaml"
            return UserError("--text", "a text with a translation within the beam", "none", fix)
        translations = self._texts(hypotheses, example.inputs["text"])
        answers = [
            Answer(text, one.probability, one.score)
            for text, one in translations[: self._search_inputs.count(example.inputs)]
        ]
        # A view would hold the alignments of the whole batch in memory.
        first = translations[0].hypothesis
        best = replace(first, alignment=first.alignment.copy())
        source = example.arrays["source"].tolist()
        draw = partial(_draw, source, best, (self._source, self._target))
        return Prediction(answers, alignments=best.alignment, notes=example.notes, draw=draw)


def encode_source(tokenizer: Tokenizer, text: str, max_tokens: int) -> tuple[list[int], list[str]]:
    """The tokens that a translator reads of a text, and notes of what it does not read.

    Args:
        tokenizer: of the source.
        text: the text.
        max_tokens: where longer texts are cut.

    Raises:
        UserError: no token is left of it.
    """
    tokens, notes = encode_text(tokenizer, text, "--text", max_tokens=max_tokens, keep="start")
    if not tokens:
        raise UserError("--text", "a text", repr(text), "write a sentence")
    return tokens, notes


def _draw(source: list[int], best: Hypothesis, tokenizers: Sequence[Tokenizer]) -> bytes:
    from rnnpipe.tasks.translation.report import alignment_picture

    return alignment_picture(source, best, tokenizers)
