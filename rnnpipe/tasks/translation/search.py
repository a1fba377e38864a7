"""Translations of many sentences by beam search, in batches of similar length."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.decoding import Decoded
from rnnpipe.models.translator import begin_translation
from rnnpipe.parts.search import FindToken
from rnnpipe.tasks.beam_decoder import Hypothesis, read_hypotheses, to_arrays
from rnnpipe.tasks.constraints import pad_phrases, repeat_for_batch
from rnnpipe.tasks.translation.config import TranslationSearchOptions
from rnnpipe.text.tokens import PAD

_MULTIPLE = 4  # what padded lengths are multiples of
_ALWAYS = 10  # tokens that a translation may have whatever its source


class TranslationSearch:
    """Finds the likeliest translations of sentences.

    Args:
        model: what `build_translator` made; its weights may change between calls.
        options: of the search, with a `max_length`.
        batch_size: how many sentences are searched together.
        find_token: the id of a token that `options.constraints` name.
        required: the tokens of phrases that every translation has to contain.
        prefix: the tokens that every translation begins with.
    """

    def __init__(
        self,
        model: keras.Model,
        options: TranslationSearchOptions,
        *,
        batch_size: int,
        find_token: FindToken,
        required: Sequence[Sequence[int]] = (),
        prefix: Sequence[int] = (),
    ) -> None:
        self._model, self._options, self._batch_size = model, options, batch_size
        self._find_token, self._prefix, self._required = find_token, prefix, pad_phrases(required)
        self._compiled = tf.function(self._decode, autograph=False, reduce_retracing=True)

    def __call__(self, sources: Sequence[Sequence[int]]) -> list[list[Hypothesis]]:
        """The translations of each source, the best first; a source has at least one token.

        Alignments are `(target_time, source_time)`, of the first glimpse.
        """
        translations: list[list[Hypothesis]] = [[] for _ in sources]
        for rows, tokens in _batches(sources, self._batch_size):
            decoded = to_arrays(self._compiled(tf.constant(tokens)))
            for place, row in enumerate(rows):
                read = read_hypotheses(decoded, place, self._options, tokens[place] != PAD)
                translations[row] = [
                    replace(one, alignment=one.alignment[:, 0, : len(sources[row])]) for one in read
                ]
        return translations

    def _decode(self, source: tf.Tensor) -> Decoded:
        options, mask = self._options, tf.not_equal(source, PAD)
        step, state = begin_translation(self._model, source, beam_width=options.rows)
        return options.search(
            step,
            state,
            max_lengths=self._limit(mask),
            memory_mask=mask,
            constraints=options.constraints.make(
                self._find_token, repeat_for_batch(self._prefix, source)
            ),
            required_phrases=repeat_for_batch(self._required, source),
        )

    def _limit(self, mask: tf.Tensor) -> tf.Tensor | None:
        """Tokens of each translation at most, `(batch,)`."""
        ratio = self._options.max_ratio
        if ratio is None:
            return None
        tokens = tf.math.count_nonzero(mask, axis=1, dtype=tf.float32)
        asked = len(self._prefix) + sum(map(len, self._required))
        return tf.cast(ratio * tokens, tf.int32) + _ALWAYS + asked


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
