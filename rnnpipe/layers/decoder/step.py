"""One step of a decoder, in the form that `rnnpipe.decoding` takes."""

from collections.abc import Callable
from typing import Any

from keras import ops, tree

from rnnpipe.errors import UserError
from rnnpipe.layers.decoder.checks import check_memory, check_memory_given, check_tokens
from rnnpipe.layers.decoder.structures import Memory
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.layers.masks import carried_mask
from rnnpipe.nested import repeat_rows, select_rows
from rnnpipe.types import Nested, Tensor


class DecoderStep:
    """`step(tokens, state) -> (logits, state, alignments)`.

    Args:
        decoder: the built decoder.
        to_logits: its layer from readouts to logits, as a function.
        memory: the memory of each row; None where it is part of the state.
    """

    def __init__(
        self, decoder: Any, to_logits: Callable[[Tensor], Tensor], memory: Memory | None
    ) -> None:
        self.decoder, self.to_logits, self.memory = decoder, to_logits, memory

    def __call__(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any, Nested[Tensor]]:
        """Reads a token `(batch,)` in each row."""
        state, carried = state
        memory = carried if self.memory is None else self.memory
        self._check_rows(tokens, memory)
        check_tokens(self.decoder, tokens, rank=1)
        word = self.decoder.embed(tokens)
        outputs, state = self.decoder.cell(word, state, memory)
        logits = self.decoder.logits(word, outputs, to_logits=self.to_logits)
        return logits, (state, carried), outputs.alignments

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
        return DecoderStep(self.decoder, self.to_logits, select_rows(self.memory, rows))


def begin_decoding(
    decoder: Any,
    memory: Nested[Tensor],
    mask: Nested[Tensor],
    initial_state: Nested[Tensor],
    beam_width: int | None,
) -> tuple[DecoderStep, Any]:
    """The step of a decoder and its first state; see `AttentionDecoder.begin`."""
    if beam_width is not None and not is_count(beam_width):
        fix = "write e.g. beam_width=4"
        raise layer_error(decoder, "a beam_width of at least 1", repr(beam_width), fix)
    if not decoder.built:
        fix = "call it, or load a model"
        raise layer_error(decoder, "a built decoder", "one without weights", fix)
    check_memory_given(decoder, memory)
    mask = carried_mask(memory) if mask is None else mask
    memory = tree.map_structure(
        lambda values: ops.convert_to_tensor(values, dtype=decoder.compute_dtype), memory
    )
    check_memory(decoder, memory, mask)
    prepared = decoder.cell.prepare(memory, mask)
    state = decoder.cell.first_state(prepared, initial_state)
    # A tied kernel is transposed once, not at every step.
    to_logits = decoder.to_logits.with_kernel() if decoder.tie_weights else decoder.to_logits
    if beam_width is None:
        return DecoderStep(decoder, to_logits, None), (state, prepared)
    return DecoderStep(decoder, to_logits, repeat_rows(prepared, beam_width)), (state, ())
