"""A search around an exported step, computed in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnnpipe.nested import repeat_rows, select_rows
from rnnpipe.ops import numpy_operations
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.tasks.beam_decoder import to_arrays
from rnnpipe.tasks.network import Array, Arrays, Function, Network, take_states
from rnnpipe.tasks.search_function import Decode, Phrases
from rnnpipe.tasks.step_graphs import MEMORY


def with_search(
    network: Network, decode: Decode, options: BeamSearchOptions, *, returns_scores: bool = False
) -> Network:
    """A network with the function `search`: that of its graphs, or one around its step.

    Args:
        network: of an export.
        decode: the search.
        options: of the search.
        returns_scores: whether the logits of the step are scores, which are not normalised.
    """
    if "search" in network or "step" not in network:
        return network
    return {**network, "search": StepSearch(network, decode, options, returns_scores)}


class StepSearch:
    """The function `search` of a network that has `encode` and `step`, see `make_step_graphs`.

    It is called as `SearchFunction` is and finds the same, without Keras and its backends.

    Args:
        network: with the two functions.
        decode: the search.
        options: of the search.
        returns_scores: see `with_search`.
    """

    def __init__(
        self,
        network: Network,
        decode: Decode,
        options: BeamSearchOptions,
        returns_scores: bool = False,
    ) -> None:
        self._network, self._decode, self._options = network, decode, options
        self._returns_scores = returns_scores

    def __call__(
        self,
        arrays: Arrays,
        *,
        n_best: int | None = None,
        prefix: tuple[int, ...] = (),
        required: Phrases = (),
    ) -> Arrays:
        """The `ids`, `lengths`, `scores` and perhaps `alignments` of `Decoded`."""
        options = replace(self._options, n_best=n_best or self._options.n_best)
        encoded = self._network["encode"](arrays)
        state = take_states(encoded)
        memory = {name: each for name, each in encoded.items() if name.startswith(MEMORY)}
        with numpy_operations():
            memory = repeat_rows(memory, options.rows)
            step = _Step(self._network["step"], memory, self._returns_scores)
            return to_arrays(self._decode(step, state, arrays, options, prefix, required))


@dataclass(frozen=True)
class _Step:
    """An exported step with its memory, as `rnnpipe.decoding` takes it."""

    function: Function
    memory: Arrays
    returns_scores: bool

    def __call__(self, tokens: Array, state: Arrays) -> tuple[Any, ...]:
        outputs = self.function({"tokens": tokens, **state, **self.memory})
        after: Mapping[str, Array] = {name: outputs[name] for name in state}
        alignments = [outputs["alignments"]] if "alignments" in outputs else []
        return outputs["logits"], after, *alignments

    def select_rows(self, rows: Array) -> _Step:
        """The same step for these rows `(rows,)` alone."""
        return _Step(self.function, select_rows(self.memory, rows), self.returns_scores)
