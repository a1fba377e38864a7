"""Captions of many images by beam search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnpipe.parts.search import BeamSearchOptions, FindToken
from rnnpipe.tasks.beam_decoder import Hypothesis, read_hypotheses
from rnnpipe.tasks.constraints import repeat_for_batch
from rnnpipe.tasks.network import Arrays, Function
from rnnpipe.tasks.search_function import Decode, Phrases, Tensors

if TYPE_CHECKING:
    from rnnpipe.decoding import Decoded


def make_decode(find_token: FindToken) -> Decode:
    """The search for captions from a step on.

    Args:
        find_token: the id of a token that the constraints name.
    """

    def decode(
        step: Any,
        state: Any,
        tensors: Tensors,
        options: BeamSearchOptions,
        prefix: tuple[int, ...],
        required: Phrases,
    ) -> Decoded:
        images = tensors["image"]
        return options.search(
            step,
            state,
            constraints=options.constraints.make(find_token, repeat_for_batch(prefix, images)),
            required_phrases=repeat_for_batch(required, images),
        )

    return decode


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
