"""The captions of a split, before they are scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnpipe.tasks.beam_decoder import Found

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CaptionedSplit:
    """The records of a split and their captions.

    Args:
        rows: its records, without the images.
        found: the captions of each, the best first.
        texts: the same as text.
        pieces: the tokens of the best as text.
        cider_d: of the best one of each.
    """

    rows: Sequence[Row]
    found: Sequence[Sequence[Found]]
    texts: Sequence[Sequence[str]]
    pieces: Sequence[Sequence[str]]
    cider_d: Sequence[float]
