"""Captions of many images by beam search."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from rnnpipe.decoding import Decoded
from rnnpipe.models.captioner import begin_captioning
from rnnpipe.parts.search import BeamSearchOptions, FindToken
from rnnpipe.tasks.beam_decoder import Hypothesis, read_hypotheses, to_arrays
from rnnpipe.tasks.constraints import pad_phrases, repeat_for_batch


class CaptionSearch:
    """Finds the likeliest captions of images.

    Args:
        model: what `build_captioner` made; its weights may change between calls.
        options: of the search.
        find_token: the id of a token that `options.constraints` name.
        required: the tokens of phrases that every caption has to contain.
        prefix: the tokens that every caption begins with.
    """

    def __init__(
        self,
        model: keras.Model,
        options: BeamSearchOptions,
        *,
        find_token: FindToken,
        required: Sequence[Sequence[int]] = (),
        prefix: Sequence[int] = (),
    ) -> None:
        self._model, self._options = model, options
        self._find_token, self._prefix, self._required = find_token, prefix, pad_phrases(required)
        self._compiled = tf.function(self._decode, autograph=False, reduce_retracing=True)

    def __call__(self, batches: Iterable[Any]) -> list[list[Hypothesis]]:
        """The captions of each image, the best first; only the best has its alignment.

        Args:
            batches: of images, `(batch, ...)`.

        Returns:
            Captions whose alignments are `(time, rows, columns)`.
        """
        captions = []
        for images in batches:
            decoded = to_arrays(self._compiled(tf.convert_to_tensor(images)))
            for row in range(len(decoded.ids)):
                read = read_hypotheses(decoded, row, self._options)
                captions.append([_keep(one, rank) for rank, one in enumerate(read)])
        return captions

    def _decode(self, images: tf.Tensor) -> Decoded:
        options = self._options
        step, state = begin_captioning(self._model, images, beam_width=options.rows)
        return options.search(
            step,
            state,
            constraints=options.constraints.make(
                self._find_token, repeat_for_batch(self._prefix, images)
            ),
            required_phrases=repeat_for_batch(self._required, images),
        )


def _keep(hypothesis: Hypothesis, rank: int) -> Hypothesis:
    # A view would hold the alignments of the whole batch in memory.
    alignment = hypothesis.alignment
    alignment = None if rank or alignment is None else alignment.copy()
    return replace(hypothesis, alignment=alignment)
