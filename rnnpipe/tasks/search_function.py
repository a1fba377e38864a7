"""Beam search of a Keras model as a function of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.tasks.beam_decoder import to_arrays
from rnnpipe.tasks.network import Arrays, Graph

if TYPE_CHECKING:
    import tensorflow as tf

    from rnnpipe.decoding import Decoded

Phrases = tuple[tuple[int, ...], ...]
"""Phrases of tokens, padded to one length."""

Decode = Callable[["Mapping[str, tf.Tensor]", Any, tuple[int, ...], Phrases], "Decoded"]
"""A search as part of a graph: of tensors by name, options, a prefix and required phrases."""

_COMPILED = 8  # graphs that are kept: prefixes and phrases are part of them


class SearchFunction:
    """A search that is compiled once for each prefix and set of phrases.

    Args:
        decode: the search. The weights of its model may change between calls.
        options: of the search.
        inputs: the shape and dtype of each tensor by name.
    """

    def __init__(
        self, decode: Decode, options: BeamSearchOptions, inputs: Mapping[str, tf.TensorSpec]
    ) -> None:
        self._decode, self._options, self._inputs = decode, options, inputs
        self._compiled = lru_cache(maxsize=_COMPILED)(self._compile)

    def __call__(
        self,
        arrays: Arrays,
        *,
        n_best: int | None = None,
        prefix: tuple[int, ...] = (),
        required: Phrases = (),
    ) -> Arrays:
        """The `ids`, `lengths`, `scores` and perhaps `alignments` of `Decoded`.

        Args:
            arrays: the inputs by name.
            n_best: sequences of each row, a multiple of the groups; None: as many as in the
                options.
            prefix: the tokens that every sequence begins with.
            required: the tokens of phrases that every sequence contains.
        """
        import tensorflow as tf

        tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        search = self._compiled(n_best or self._options.n_best, prefix, required)
        return to_arrays(search(tensors))

    def graph(self) -> Graph:
        """The whole search with its loop, without a prefix and required phrases."""

        def search(tensors: Mapping[str, tf.Tensor]) -> Mapping[str, Any]:
            return self._decode(tensors, self._options, (), ())._asdict()

        options = {"n_best": self._options.n_best, "prefix": (), "required": ()}
        return Graph(search, self._inputs, options)

    def _compile(self, n_best: int, prefix: tuple[int, ...], required: Phrases) -> Any:
        import tensorflow as tf

        options = replace(self._options, n_best=n_best)

        def decode(tensors: Mapping[str, tf.Tensor]) -> Decoded:
            return self._decode(tensors, options, prefix, required)

        return tf.function(decode, autograph=False, reduce_retracing=True)
