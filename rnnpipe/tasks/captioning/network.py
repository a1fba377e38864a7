"""The search for captions of a Keras model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnpipe.models.captioner import begin_captioning
from rnnpipe.parts.search import BeamSearchOptions, FindToken
from rnnpipe.tasks.captioning.search import make_decode
from rnnpipe.tasks.network import describe_inputs
from rnnpipe.tasks.search_function import SearchFunction, Tensors

if TYPE_CHECKING:
    import keras


def make_search(
    model: keras.Model, options: BeamSearchOptions, find_token: FindToken
) -> SearchFunction:
    """The search for captions, a function of `image`, `(batch, ...)`.

    Args:
        model: what `build_captioner` made; its weights may change between calls.
        options: of the search.
        find_token: the id of a token that `options.constraints` name.
    """

    def begin(tensors: Tensors, beam_width: int | None) -> tuple[Any, Any]:
        return begin_captioning(model, tensors["image"], beam_width=beam_width)

    return SearchFunction(begin, make_decode(find_token), options, describe_inputs(model, "image"))
