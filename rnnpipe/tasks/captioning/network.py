"""The search for captions of a Keras model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rnnpipe.models.captioner import begin_captioning
from rnnpipe.parts.search import BeamSearchOptions, FindToken
from rnnpipe.tasks.constraints import repeat_for_batch
from rnnpipe.tasks.network import describe_inputs
from rnnpipe.tasks.search_function import Phrases, SearchFunction

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from rnnpipe.decoding import Decoded


def make_search(
    model: keras.Model, options: BeamSearchOptions, find_token: FindToken
) -> SearchFunction:
    """The search for captions, a function of `image`, `(batch, ...)`.

    Args:
        model: what `build_captioner` made; its weights may change between calls.
        options: of the search.
        find_token: the id of a token that `options.constraints` name.
    """

    def decode(
        tensors: Mapping[str, tf.Tensor],
        options: BeamSearchOptions,
        prefix: tuple[int, ...],
        required: Phrases,
    ) -> Decoded:
        images = tensors["image"]
        step, state = begin_captioning(model, images, beam_width=options.rows)
        return options.search(
            step,
            state,
            constraints=options.constraints.make(find_token, repeat_for_batch(prefix, images)),
            required_phrases=repeat_for_batch(required, images),
        )

    return SearchFunction(decode, options, describe_inputs(model, "image"))
