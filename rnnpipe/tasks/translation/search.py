"""Translations of many sentences by beam search, in batches of similar length."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.decoding import Decoded
from rnnpipe.models.translator import begin_translation
from rnnpipe.tasks.beam_decoder import BeamDecoder, Hypothesis, to_arrays
from rnnpipe.text.tokens import PAD

_MULTIPLE = 4  # what padded lengths are multiples of
_ALWAYS = 10  # tokens that a translation may have whatever its source


class TranslationSearch:
    """Beam search for translations.

    Args:
        model: what `build_translator` made; its weights may change between calls.
        width: of the beam; 1 is greedy.
        n_best: how many translations of each sentence, at most the width.
        length_penalty: alpha of GNMT's.
        max_length: the most tokens of a translation, the end token included.
        max_ratio: ten tokens more than so many times its source's a translation has at most; None
            for no such bound.
        batch_size: how many sentences are searched together.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        width: int = 5,
        n_best: int = 1,
        length_penalty: float = 1.0,
        max_length: int = 100,
        max_ratio: float | None = 2.0,
        batch_size: int = 64,
    ) -> None:
        self._batch_size = batch_size
        self._beam = BeamDecoder(
            width=width, n_best=n_best, length_penalty=length_penalty, max_length=max_length
        )
        self._search = _compile(model, self._beam, max_ratio)

    def __call__(self, sources: Sequence[Sequence[int]]) -> list[list[Hypothesis]]:
        """The translations of each source, the best first; a source has at least one token.

        Alignments are `(target_time, source_time)`.
        """
        hypotheses: list[list[Hypothesis]] = [[] for _ in sources]
        for rows, tokens in _batches(sources, self._batch_size):
            decoded = to_arrays(self._search(tf.constant(tokens)))
            for place, row in enumerate(rows):
                hypotheses[row] = [
                    replace(one, alignment=one.alignment[:, 0, : len(sources[row])])
                    for one in self._beam.hypotheses(decoded, place)
                ]
        return hypotheses


def _compile(
    model: keras.Model, beam: BeamDecoder, max_ratio: float | None
) -> Callable[[Any], Decoded]:
    @tf.function(autograph=False, reduce_retracing=True)
    def search(source: tf.Tensor) -> Decoded:
        max_lengths = None
        if max_ratio is not None:
            tokens = tf.math.count_nonzero(source != PAD, axis=1, dtype=tf.float32)
            max_lengths = tf.cast(max_ratio * tokens, tf.int32) + _ALWAYS
        step, state = begin_translation(model, source, beam_width=beam.width)
        return beam.decode(step, state, max_lengths)

    return search


def _batches(
    sources: Sequence[Sequence[int]], batch_size: int
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Rows of similar lengths, the longest first, and their tokens `(batch, source_time)`."""
    order = sorted(range(len(sources)), key=lambda row: -len(sources[row]))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        time = -(-len(sources[rows[0]]) // _MULTIPLE) * _MULTIPLE
        tokens = np.full((len(rows), time), PAD, "int32")
        for place, row in enumerate(rows):
            tokens[place, : len(sources[row])] = sources[row]
        yield rows, tokens
