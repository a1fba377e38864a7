"""Cells with an attention between them: the lowest asks, the others read what it found."""

from typing import Any

from keras import ops

from rnnpipe.layers.decoder.cell import AttentionCell, output_size
from rnnpipe.layers.decoder.structures import Outputs, Source, State
from rnnpipe.layers.faults import fault


class TopDownCell(AttentionCell):
    """A first cell that sees the whole and asks, and the others, which read its answer.

        s₁ = cell₁([e; s; m̄], s₁)      c, α = attention(s₁, memory)      s = cells([c; s₁], s)

    where m̄ is the mean of the memory's positions. The arguments are those of `AttentionCell`;
    without `input_feeding` the first cell reads e alone.

    Source: Anderson et al., Bottom-Up and Top-Down Attention for Image Captioning and Visual
    Question Answering, 2018, section 3.2.
    """

    def build(self, word_shape: Any, memory_shape: Any) -> None:
        """Checks that there is something to look between, and one memory."""
        if len(self.cells) < 2:
            fix = 'write e.g. cell=[LSTMCell(512), LSTMCell(512)], or look="before"'
            raise fault(self, "two cells or more to look between", str(len(self.cells)), fix)
        if isinstance(memory_shape[0], list | tuple):
            fix = 'look "before" or "after", or join them'
            raise fault(self, "one memory", f"{len(memory_shape)}", fix)
        super().build(word_shape, memory_shape)

    def source(self, memory: Any, mask: Any) -> Source:
        """All that does not change from step to step, the memory's mean included."""
        source = super().source(memory, mask)
        mean = _mean(source.memory, mask) if self.input_feeding else ()
        return source._replace(keys=(source.keys, mean))

    def call(
        self, word: Any, state: State, source: Source, training: Any = False
    ) -> tuple[Outputs, State]:
        """One step, from the vector of the word before, `(batch, features)`."""
        keys, mean = source.keys
        inputs = word
        if self.input_feeding:
            inputs = ops.concatenate([word, state.cells[-1][0], mean], axis=-1)
        query, first = self._advance(inputs, state.cells[:1], training, self.cells[:1])
        context, alignments = self._look(query, state, source._replace(keys=keys), training)
        inputs = ops.concatenate([context, query], axis=-1)
        output, others = self._advance(inputs, state.cells[1:], training, self.cells[1:])
        attention = self.attention.next_state(state.attention, alignments)
        after = State((*first, *others), (), attention)
        return Outputs(output, context, alignments, ()), after

    def _asking_size(self) -> int:
        return output_size(self.cells[0])

    def _fed_size(self, memory_shape: Any) -> int:
        return self.output_size + int(memory_shape[-1])

    def _input_sizes(self, word_size: int) -> list[int]:
        second = self.context_size + output_size(self.cells[0])
        return [word_size + self.fed_size, second, *map(output_size, self.cells[1:-1])]


def _mean(memory: Any, mask: Any) -> Any:
    """The mean of the positions that may be read, `(batch, features)`; zeros if there are none."""
    axes = tuple(range(1, len(memory.shape) - 1))
    if mask is None:
        return ops.mean(memory, axis=axes)
    readable = ops.cast(mask, "bool")[..., None]
    total = ops.sum(ops.where(readable, memory, ops.zeros_like(memory)), axis=axes)
    return total / ops.maximum(ops.sum(ops.cast(readable, total.dtype), axis=axes), 1)
