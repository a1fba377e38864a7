"""Scores of the validation split while a captioner is trained."""

from collections.abc import Mapping
from typing import Any

import keras

from rnnpipe.metrics.captions import score_captions
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.captioning.search import CaptionSearch
from rnnpipe.tasks.validation import ValidationScores
from rnnpipe.text.tokenizer import Tokenizer


class CaptionScores(ValidationScores):
    """Scores the captions of the validation split.

    Args:
        search: how the model decodes: greedily, to be quick.
        records: the records.
        images: batches of the split's images.
        trainer: the same model, compiled.
        batches: of the split, for its loss and perplexity.
    """

    def __init__(
        self,
        search: CaptionSearch,
        records: RecordsDirectory,
        images: Any,
        trainer: keras.Model,
        batches: Any,
    ) -> None:
        super().__init__(trainer, batches)
        self._search, self._images = search, images
        self._tokenizer = Tokenizer.load(records.path)
        self._references = {
            place: record["captions"]
            for place, record in enumerate(records.read("validation", ["captions"]))
        }

    def decode_scores(self) -> Mapping[str, float]:
        """The scores of the captions that the model makes of the split's images."""
        hypotheses = self._search(self._images)
        captions = [self._tokenizer.decode(each[0].tokens) for each in hypotheses]
        return score_captions(self._references, dict(enumerate(captions)))
