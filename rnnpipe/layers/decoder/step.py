"""One step of a decoder, in the form that `rnnpipe.decoding` takes."""

from collections.abc import Callable
from typing import Any, TypeAlias

from keras import tree

from rnnpipe.errors import UserError
from rnnpipe.layers.decoder.structures import Memory
from rnnpipe.nested import select_rows
from rnnpipe.types import Nested, Tensor

Advance: TypeAlias = Callable[[Tensor, Any, Memory], tuple[Tensor, Any, Nested[Tensor]]]
"""From tokens `(batch,)`, a state and a memory to logits, the next state and alignments."""


class DecoderStep:
    """`step(tokens, state) -> (logits, state, alignments)`.

    Args:
        advance: the step of the decoder.
        memory: the memory of each row; None where it is part of the state.
    """

    def __init__(self, advance: Advance, memory: Memory | None) -> None:
        self.advance, self.memory = advance, memory

    def __call__(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any, Nested[Tensor]]:
        """Reads a token `(batch,)` in each row."""
        state, carried = state
        memory = carried if self.memory is None else self.memory
        self._check_rows(tokens, memory)
        logits, state, alignments = self.advance(tokens, state, memory)
        return logits, (state, carried), alignments

    def _check_rows(self, tokens: Tensor, memory: Memory) -> None:
        rows = {tensor.shape[0] for tensor in tree.flatten(memory.values)} - {None}
        if tokens.shape[0] is not None and rows - {tokens.shape[0]}:
            expected = f"{min(rows)} rows, as begin(...) has prepared"
            fix = "pass the beam_width of the search, or its samples, to begin"
            raise UserError("step", expected, str(tokens.shape[0]), fix)

    def select_rows(self, rows: Tensor) -> "DecoderStep":
        """The same step for these rows `(rows,)` alone."""
        if self.memory is None:
            return self
        return DecoderStep(self.advance, select_rows(self.memory, rows))
