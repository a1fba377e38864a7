"""The search for translations of a Keras model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnpipe.models.translator import begin_translation
from rnnpipe.parts.search import FindToken
from rnnpipe.tasks.network import describe_inputs
from rnnpipe.tasks.search_function import SearchFunction, Tensors
from rnnpipe.tasks.translation.config import TranslationSearchOptions
from rnnpipe.tasks.translation.search import make_decode

if TYPE_CHECKING:
    import keras

    from rnnpipe.tasks.shallow_fusion import FusedLanguageModel


def make_search(
    model: keras.Model,
    options: TranslationSearchOptions,
    find_token: FindToken,
    language_model: FusedLanguageModel | None = None,
) -> SearchFunction:
    """The search for translations, a function of `source`, `(batch, source_time)`.

    Args:
        model: what `build_translator` made; its weights may change between calls.
        options: of the search, with a `max_length`.
        find_token: the id of a token that `options.constraints` name.
        language_model: what takes part in it.
    """

    def begin(tensors: Tensors, beam_width: int | None) -> tuple[Any, Any]:
        step, state = begin_translation(model, tensors["source"], beam_width=beam_width)
        return (step, state) if language_model is None else language_model.fuse(step, state)

    return SearchFunction(begin, make_decode(find_token), options, describe_inputs(model, "source"))
