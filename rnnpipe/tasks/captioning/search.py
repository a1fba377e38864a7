"""Captions of many images, searched for with a beam."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from rnnpipe.decoding import Decoded
from rnnpipe.models.captioner import begin_captioning
from rnnpipe.tasks.beams import Beam, Found, to_arrays


class CaptionSearch:
    """Finds the likeliest captions of images.

    Args:
        model: what `build_captioner` made; its weights may change between calls.
        beam: how they are searched for.
    """

    def __init__(self, model: keras.Model, beam: Beam) -> None:
        self._beam, self._search = beam, _compile(model, beam)

    def __call__(self, batches: Iterable[Any]) -> list[list[Found]]:
        """The captions of each image, the best first; only the best has its alignment.

        Args:
            batches: of images, `(batch, ...)`.

        Returns:
            Captions whose alignments are `(time, rows, columns)`.
        """
        found = []
        for images in batches:
            decoded = to_arrays(self._search(tf.convert_to_tensor(images)))
            found += [
                [_keep(one, rank) for rank, one in enumerate(self._beam.read(decoded, row))]
                for row in range(len(decoded.ids))
            ]
        return found


def _keep(found: Found, rank: int) -> Found:
    # A view would hold the alignments of the whole batch in memory.
    kept = None if rank or found.alignment is None else found.alignment.copy()
    return replace(found, alignment=kept)


def _compile(model: keras.Model, beam: Beam) -> Callable[[Any], Decoded]:
    @tf.function(autograph=False, reduce_retracing=True)
    def search(images: tf.Tensor) -> Decoded:
        return beam.search(*begin_captioning(model, images, beam_width=beam.width))

    return search
