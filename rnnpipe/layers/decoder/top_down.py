"""The cell of Anderson et al. (2018): attention between the first cell and the others."""

from keras import ops

from rnnpipe.layers.decoder.cell import AttentionCell, output_size, output_state
from rnnpipe.layers.decoder.structures import DecoderState, Memory, StepOutputs
from rnnpipe.layers.errors import layer_error
from rnnpipe.types import Nested, Shape, Tensor


class TopDownCell(AttentionCell):
    """A top-down attention cell, and cells on top of it that read the context.

        q = cell₁([e; s; m̄], q)      c, α = attention(q, memory)      s = cells([c; q], s)

    where m̄ is the mean of the memory's positions. Without input feeding the first cell reads e
    alone. The arguments are those of `AttentionCell`.

    Source: Anderson et al., Bottom-Up and Top-Down Attention for Image Captioning and Visual
    Question Answering, 2018, section 3.2.
    """

    @property
    def query_size(self) -> int:
        """The size of the first cell's output."""
        return output_size(self.cells[0])

    def feed_size(self, memory_shape: Nested[Shape]) -> int:
        """The size of the last output and the mean memory."""
        return self.output_size + int(memory_shape[-1])

    def cell_input_sizes(self, first: int) -> list[int]:
        """The input size of every cell: the second one reads the context and the query."""
        second = self.context_size + self.query_size
        return [first, second, *map(output_size, self.cells[1:-1])]

    def build(self, word_shape: Shape, memory_shape: Nested[Shape]) -> None:
        """Checks that there are two cells or more, and one memory; then builds."""
        if len(self.cells) < 2:
            fix = 'write e.g. cell=[LSTMCell(512), LSTMCell(512)], or architecture="bahdanau"'
            raise layer_error(self, "two cells or more", str(len(self.cells)), fix)
        if isinstance(memory_shape[0], list | tuple):
            fix = 'set architecture to "luong" or "bahdanau", or concatenate the memories'
            raise layer_error(self, "one memory", f"{len(memory_shape)}", fix)
        super().build(word_shape, memory_shape)

    def prepare(self, values: Nested[Tensor], mask: Nested[Tensor]) -> Memory:
        """Computes all that is the same at every step, the mean of the memory included."""
        memory = super().prepare(values, mask)
        mean = _masked_mean(memory.values, mask) if self.input_feeding else ()
        return memory._replace(keys=(memory.keys, mean))

    def call(
        self, word: Tensor, state: DecoderState, memory: Memory, training: bool = False
    ) -> tuple[StepOutputs, DecoderState]:
        """One step; see the class for the equation."""
        keys, mean = memory.keys
        inputs = word
        if self.input_feeding:
            output = state.cells[-1][output_state(self.cells[-1])]
            inputs = ops.concatenate([word, output, mean], axis=-1)
        query, first = self.advance(self.cells[:1], inputs, state.cells[:1], training)
        memory = memory._replace(keys=keys)
        context, alignments, attention = self.attend(query, state, memory, training)
        inputs = ops.concatenate([context, query], axis=-1)
        output, others = self.advance(self.cells[1:], inputs, state.cells[1:], training)
        outputs = StepOutputs(output, context, alignments, ())
        return outputs, DecoderState((*first, *others), (), attention)


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean over the unmasked positions, `(batch, features)`; zeros if there are none."""
    axes = tuple(range(1, len(values.shape) - 1))
    if mask is None and None not in values.shape[1:] and 0 not in values.shape[1:]:
        return ops.mean(values, axis=axes)
    if mask is None:
        mask = ops.ones_like(values[..., 0], dtype="bool")
    mask = ops.cast(mask, "bool")[..., None]
    total = ops.sum(ops.where(mask, values, ops.zeros_like(values)), axis=axes)
    return total / ops.maximum(ops.sum(ops.cast(mask, total.dtype), axis=axes), 1)
