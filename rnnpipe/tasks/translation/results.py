"""The translations of a split, before they are scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnpipe.tasks.beam_decoder import Hypothesis

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TranslatedSplit:
    """The records of a split and their translations.

    Args:
        rows: its records.
        hypotheses: the translations of each record, the best first.
        texts: the same as text.
        known: for each record whether training has a source that is as long or longer.
        counted: for each record whether it has a part in the main scores.
    """

    rows: Sequence[Row]
    hypotheses: Sequence[Sequence[Hypothesis]]
    texts: Sequence[Sequence[str]]
    known: Sequence[bool]
    counted: Sequence[bool]
