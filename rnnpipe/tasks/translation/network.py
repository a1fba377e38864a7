"""The search for translations of a Keras model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from rnnpipe.models.translator import begin_translation
from rnnpipe.parts.search import FindToken
from rnnpipe.tasks.constraints import repeat_for_batch
from rnnpipe.tasks.network import describe_inputs
from rnnpipe.tasks.search_function import Phrases, SearchFunction
from rnnpipe.tasks.translation.config import TranslationSearchOptions
from rnnpipe.text.tokens import PAD

if TYPE_CHECKING:
    import keras

    from rnnpipe.decoding import Decoded

_ALWAYS = 10  # tokens that a translation may have whatever its source


def make_search(
    model: keras.Model, options: TranslationSearchOptions, find_token: FindToken
) -> SearchFunction:
    """The search for translations, a function of `source`, `(batch, source_time)`.

    Args:
        model: what `build_translator` made; its weights may change between calls.
        options: of the search, with a `max_length`.
        find_token: the id of a token that `options.constraints` name.
    """

    def decode(
        tensors: Mapping[str, tf.Tensor],
        options: TranslationSearchOptions,
        prefix: tuple[int, ...],
        required: Phrases,
    ) -> Decoded:
        source = tensors["source"]
        mask = tf.not_equal(source, PAD)
        step, state = begin_translation(model, source, beam_width=options.rows)
        return options.search(
            step,
            state,
            max_lengths=_limit(mask, options.max_ratio, len(prefix) + sum(map(len, required))),
            memory_mask=mask,
            constraints=options.constraints.make(find_token, repeat_for_batch(prefix, source)),
            required_phrases=repeat_for_batch(required, source),
        )

    return SearchFunction(decode, options, describe_inputs(model, "source"))


def _limit(mask: tf.Tensor, ratio: float | None, asked: int) -> Any:
    """Tokens of each translation at most, `(batch,)`."""
    if ratio is None:
        return None
    tokens = tf.math.count_nonzero(mask, axis=1, dtype=tf.float32)
    return tf.cast(ratio * tokens, tf.int32) + _ALWAYS + asked
