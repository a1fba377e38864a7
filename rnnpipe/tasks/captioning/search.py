"""Captions of many images by beam search."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.tasks.beam_decoder import Hypothesis, read_hypotheses
from rnnpipe.tasks.network import Arrays, Function


class CaptionSearch:
    """Finds the likeliest captions of images.

    Args:
        search: the function `search` of a captioner's network.
        options: of that search.
    """

    def __init__(self, search: Function, options: BeamSearchOptions) -> None:
        self._search, self._options = search, options

    def __call__(self, batches: Iterable[Any]) -> list[list[Hypothesis]]:
        """The captions of each image, the best first, see `read_captions`.

        Args:
            batches: of images, `(batch, ...)`.
        """
        return [
            captions
            for images in batches
            for captions in read_captions(self._search({"image": images}), self._options)
        ]


def read_captions(outputs: Arrays, options: BeamSearchOptions) -> list[list[Hypothesis]]:
    """The captions of each image of a batch, the best first; only the best has its alignment.

    Args:
        outputs: of the function `search` of a captioner's network.
        options: of that search.

    Returns:
        Captions whose alignments are `(time, rows, columns)`.
    """
    return [
        [_keep(one, rank) for rank, one in enumerate(read_hypotheses(outputs, row, options))]
        for row in range(len(outputs["ids"]))
    ]


def _keep(hypothesis: Hypothesis, rank: int) -> Hypothesis:
    # A view would hold the alignments of the whole batch in memory.
    alignment = hypothesis.alignment
    alignment = None if rank or alignment is None else alignment.copy()
    return replace(hypothesis, alignment=alignment)
