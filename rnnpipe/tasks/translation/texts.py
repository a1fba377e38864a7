"""Hypotheses as texts: the words in place of unknown ones, and the order of the candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnnpipe.metrics.translation import expected_utilities
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.network import Array
from rnnpipe.tasks.translation.config import RiskOptions, TranslationSearchOptions
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN
from rnnpipe.text.word_alignment import word_places

_SPACE = "▁"
_SILENT = (PAD, START, END)  # that read as nothing


class Translation(NamedTuple):
    """A hypothesis and its text.

    Args:
        text: what it reads.
        hypothesis: its tokens, with the score that it was ranked by.
    """

    text: str
    hypothesis: Hypothesis


class TranslationTexts:
    """Makes texts of the hypotheses of a source, the best one first.

    Args:
        folder: with the tokenizers of both sides.
        options: of the search, what stands in place of unknown words and how candidates are
            ranked among it.
        lowercase: whether case counts for nothing where candidates are compared.
    """

    def __init__(self, folder: Path, options: TranslationSearchOptions, *, lowercase: bool) -> None:
        self._options, self._lowercase = options, lowercase
        self._source, self._target = (Tokenizer.load(folder / side) for side in (SOURCE, TARGET))

    def __call__(self, hypotheses: Sequence[Hypothesis], source: str) -> list[Translation]:
        """The translations of a source, the best first.

        Args:
            hypotheses: of the search.
            source: the raw text.
        """
        translations = [Translation(self.decode(one, source), one) for one in hypotheses]
        risk = self._options.minimum_bayes_risk
        return translations if risk is None else self._rank(translations, risk)

    def decode(self, hypothesis: Hypothesis, source: str) -> str:
        """The text of a hypothesis.

        Args:
            hypothesis: of the search.
            source: the raw text, which unknown words may be taken from.
        """
        if self._options.replace_unknown is None or UNKNOWN not in hypothesis.tokens:
            return self._target.decode(hypothesis.tokens)
        words = aligned_words(hypothesis.alignment, source, self._source)
        pieces = [
            _SPACE + word if token == UNKNOWN else self._target.pieces[token]
            for token, word in zip(hypothesis.tokens, words, strict=True)
            if token not in _SILENT
        ]
        text = "".join(pieces).replace(_SPACE, " ")
        return self._target.normalizer.join(" ".join(text.split()))

    def _rank(self, translations: Sequence[Translation], risk: RiskOptions) -> list[Translation]:
        """By expected utility, which becomes the score; equal ones in the order of the search."""
        texts = [each.text for each in translations]
        weights = None  # draws are as frequent as the model has them
        if self._options.sampling is None and texts:
            totals = np.array([each.hypothesis.log_probability for each in translations])
            weights = np.exp(totals - totals.max()).tolist()
        utilities = expected_utilities(
            texts, weights, utility=risk.utility, lowercase=self._lowercase
        )
        ranked = sorted(zip(utilities, translations, strict=True), key=lambda pair: -pair[0])
        return [
            Translation(text, replace(hypothesis, score=utility))
            for utility, (text, hypothesis) in ranked
        ]


def aligned_words(alignment: Array, source: str, tokenizer: Tokenizer) -> list[str]:
    """The source word that each target token attends to most.

        wₜ = argmax over words w of Σ αₜᵢ, over the tokens i of w

    Args:
        alignment: `(target_time, source_time)`; the source may be cut.
        source: the raw text.
        tokenizer: of the source.

    Source: Luong, Sutskever, Le, Vinyals and Zaremba, Addressing the Rare Word Problem in Neural
    Machine Translation, 2015; by attention: Jean, Cho, Memisevic and Bengio, On Using Very Large
    Target Vocabulary for Neural Machine Translation, 2015, section 3.3.
    """
    words = tokenizer.normalizer(source).split()
    places = list(word_places(tokenizer, source))[: alignment.shape[1]]
    of_words = np.zeros((len(places), len(words)))
    of_words[np.arange(len(places)), places] = 1.0
    best = (alignment @ of_words).argmax(axis=1)
    return [words[place] for place in best.tolist()]
