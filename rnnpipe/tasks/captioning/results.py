"""The captions of a split, before they are scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnpipe.tasks.beam_decoder import Hypothesis

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CaptionedSplit:
    """The records of a split and their captions.

    Args:
        rows: its records, without the images.
        hypotheses: the captions of each record, the best first.
        texts: the same as text.
        pieces: the tokens of the best as text.
        cider_d: of the best one of each.
    """

    rows: Sequence[Row]
    hypotheses: Sequence[Sequence[Hypothesis]]
    texts: Sequence[Sequence[str]]
    pieces: Sequence[Sequence[str]]
    cider_d: Sequence[float]
