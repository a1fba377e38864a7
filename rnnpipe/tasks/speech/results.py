"""The recognized texts of a split, before they are scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnpipe.metrics.speech import duration_bin
from rnnpipe.tasks.speech.transcripts import Transcript, Word
from rnnpipe.text.tokenizer import Tokenizer

Row = Mapping[str, Any]


def normalize_text(text: str, tokenizer: Tokenizer) -> str:
    """A text as a model learns it, which hypotheses are compared with."""
    return tokenizer.normalizer.join(tokenizer.normalizer(text))


@dataclass(frozen=True, slots=True)
class RecognizedSplit:
    """The records of a split and their texts.

    Args:
        rows: its records, without sounds and features.
        references: the transcript of each, normalised as texts are that a model learns from.
        transcripts: of each record, the best first.
        texts: the same as text; an empty one where there is none.
        words: the words of the best and their times.
    """

    rows: Sequence[Row]
    references: Sequence[str]
    transcripts: Sequence[Sequence[Transcript]]
    texts: Sequence[Sequence[str]]
    words: Sequence[Sequence[Word]]

    @property
    def best(self) -> list[str]:
        """What was recognized."""
        return [texts[0] for texts in self.texts]

    def groups(self, by: str) -> list[str]:
        """The group of each record.

        Args:
            by: `speaker`, empty where it is not known, or `seconds`, the bin of its duration.
        """
        if by == "speaker":
            return [row["speaker"] for row in self.rows]
        return [duration_bin(row["duration"]) for row in self.rows]
