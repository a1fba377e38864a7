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

    from rnnpipe.tasks.shallow_fusion import FusedLanguageModel


def make_search(
    model: keras.Model,
    options: BeamSearchOptions,
    find_token: FindToken,
    language_model: FusedLanguageModel | None = None,
) -> SearchFunction:
    """The search for captions, a function of `image`, `(batch, ...)`.

    Args:
        model: what `build_captioner` made; its weights may change between calls.
        options: of the search.
        find_token: the id of a token that `options.constraints` name.
        language_model: what takes part in it.
    """

    def begin(tensors: Tensors, beam_width: int | None) -> tuple[Any, Any]:
        step, state = begin_captioning(model, tensors["image"], beam_width=beam_width)
        return (step, state) if language_model is None else language_model.fuse(step, state)

    return SearchFunction(begin, make_decode(find_token), options, describe_inputs(model, "image"))
