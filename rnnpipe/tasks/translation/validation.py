"""Scores of the validation split while a model is trained."""

from collections.abc import Mapping
from typing import Any

import keras

from rnnpipe.metrics.translation import BleuTokenizer, score_translations
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.translation.search import TranslationSearch
from rnnpipe.tasks.translation.texts import TranslationTexts
from rnnpipe.tasks.validation import ValidationScores


class TranslationScores(ValidationScores):
    """Scores the validation split with a model whose weights change.

    Args:
        search: how the model decodes: greedily, to be quick.
        texts: makes texts of what it finds.
        records: the records.
        trainer: the same model, compiled.
        batches: of the validation split, for its loss and perplexity.
        lowercase: whether case counts for nothing.
        bleu_tokenizer: what cuts texts into words for BLEU.
    """

    def __init__(
        self,
        search: TranslationSearch,
        texts: TranslationTexts,
        records: RecordsDirectory,
        trainer: keras.Model,
        batches: Any,
        *,
        lowercase: bool,
        bleu_tokenizer: BleuTokenizer,
    ) -> None:
        super().__init__(trainer, batches)
        self._search = search
        self._scoring: dict[str, Any] = {"lowercase": lowercase, "tokenize": bleu_tokenizer}
        self._texts = texts
        rows = list(records.read("validation", ["source", "source_tokens", "target"]))
        self._raw = [row["source"] for row in rows]
        self._sources = [row["source_tokens"] for row in rows]
        self._references = [row["target"] for row in rows]

    def decode_scores(self) -> Mapping[str, float]:
        """The scores of the text that the model makes of the split's sources."""
        found = zip(self._search(self._sources), self._raw, strict=True)
        texts = [self._texts.decode(hypotheses[0], source) for hypotheses, source in found]
        return score_translations(texts, self._references, **self._scoring)
