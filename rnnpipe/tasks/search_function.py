"""Beam search of a Keras model as a function of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.tasks.beam_decoder import to_arrays
from rnnpipe.tasks.network import Arrays, Bound, Graph, compile_here
from rnnpipe.tasks.step_graphs import make_step_graphs

if TYPE_CHECKING:
    import tensorflow as tf

    from rnnpipe.decoding import Decoded

Phrases = tuple[tuple[int, ...], ...]
"""Phrases of tokens, padded to one length."""

Tensors = Mapping[str, Any]
"""The inputs of a search by name: tensors of TensorFlow or arrays."""

Begin = Callable[[Tensors, int | None], tuple[Any, Any]]
"""The step and the first state of a search: of its inputs, and how many rows are decoded of each of
theirs; None: all that the step reads is part of the state."""

Decode = Callable[[Any, Any, Tensors, Any, tuple[int, ...], Phrases], "Decoded"]
"""A search from a step and its first state, for inputs, options, a prefix and required phrases. It
may be part of a graph, or compute in NumPy alone."""

_COMPILED = 8  # graphs that are kept: prefixes and phrases are part of them


class SearchFunction:
    """A search that is compiled once for each prefix and set of phrases.

    Args:
        begin: makes the step. The weights of its model may change between calls.
        decode: the search.
        options: of the search.
        inputs: the shape and dtype of each tensor by name.
        nested: whether a step has loops itself.
    """

    def __init__(
        self,
        begin: Begin,
        decode: Decode,
        options: BeamSearchOptions,
        inputs: Mapping[str, tf.TensorSpec],
        *,
        nested: bool = False,
    ) -> None:
        self._begin, self._decode, self._nested = begin, decode, nested
        self._options, self._inputs = options, inputs
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

        def search(tensors: Tensors) -> Mapping[str, Any]:
            return self._search(tensors, self._options, (), ())._asdict()

        options = {"n_best": self._options.n_best, "prefix": (), "required": ()}
        return Graph(search, self._inputs, options, nested=self._nested)

    def step_graphs(self, bounds: Mapping[str, Bound]) -> Mapping[str, Graph]:
        """The graphs `encode` and `step`, see `make_step_graphs`."""
        return make_step_graphs(self._begin, Graph(dict, self._inputs).bound(bounds, rows=1))

    def _search(
        self, tensors: Tensors, options: Any, prefix: tuple[int, ...], required: Phrases
    ) -> Decoded:
        step, state = self._begin(tensors, options.rows)
        return self._decode(step, state, tensors, options, prefix, required)

    def _compile(self, n_best: int, prefix: tuple[int, ...], required: Phrases) -> Any:
        options = replace(self._options, n_best=n_best)

        def search(tensors: Tensors) -> Decoded:
            return self._search(tensors, options, prefix, required)

        return compile_here(search)
