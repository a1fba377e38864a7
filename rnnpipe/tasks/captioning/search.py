"""Captions of many images by beam search."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from rnnpipe.decoding import Decoded
from rnnpipe.models.captioner import begin_captioning
from rnnpipe.tasks.beam_decoder import BeamDecoder, Hypothesis, to_arrays


class CaptionSearch:
    """Finds the likeliest captions of images.

    Args:
        model: what `build_captioner` made; its weights may change between calls.
        beam: the beam search.
    """

    def __init__(self, model: keras.Model, beam: BeamDecoder) -> None:
        self._beam, self._search = beam, _compile(model, beam)

    def __call__(self, batches: Iterable[Any]) -> list[list[Hypothesis]]:
        """The captions of each image, the best first; only the best has its alignment.

        Args:
            batches: of images, `(batch, ...)`.

        Returns:
            Captions whose alignments are `(time, rows, columns)`.
        """
        hypotheses = []
        for images in batches:
            decoded = to_arrays(self._search(tf.convert_to_tensor(images)))
            hypotheses += [
                [_keep(one, rank) for rank, one in enumerate(self._beam.hypotheses(decoded, row))]
                for row in range(len(decoded.ids))
            ]
        return hypotheses


def _keep(hypothesis: Hypothesis, rank: int) -> Hypothesis:
    # A view would hold the alignments of the whole batch in memory.
    alignment = hypothesis.alignment
    alignment = None if rank or alignment is None else alignment.copy()
    return replace(hypothesis, alignment=alignment)


def _compile(model: keras.Model, beam: BeamDecoder) -> Callable[[Any], Decoded]:
    @tf.function(autograph=False, reduce_retracing=True)
    def search(images: tf.Tensor) -> Decoded:
        return beam.decode(*begin_captioning(model, images, beam_width=beam.width))

    return search
