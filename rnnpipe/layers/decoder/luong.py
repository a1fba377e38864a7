"""The cell of Luong et al. (2015): the cells step, then attend."""

from typing import Any

from keras import ops

from rnnpipe.layers.decoder.cell import AttentionCell
from rnnpipe.layers.decoder.structures import DecoderState, Memory, StepOutputs
from rnnpipe.types import Nested, Shape, Tensor


class LuongCell(AttentionCell):
    """Recurrent cells whose output queries the memory.

        s = cells([e; f], s)      c, α = attention(s, memory)

    With input feeding, the next step's f is the readout r if that is of the kind `"tanh"` (the
    attentional hidden state of the paper), else c; zeros at first. The arguments are those of
    `AttentionCell`.

    Source: Luong, Pham and Manning, Effective Approaches to Attention-based Neural Machine
    Translation, 2015, section 3.
    """

    @property
    def feeds_readout(self) -> bool:
        """Whether the next step reads the readout."""
        return self.input_feeding and self.readout.kind == "tanh"

    def feed_size(self, memory_shape: Nested[Shape]) -> int:
        """The size of the readout or of the context."""
        return self.readout.units if self.feeds_readout else super().feed_size(memory_shape)

    def first_state(self, memory: Memory, initial_state: Nested[Tensor]) -> DecoderState:
        """The state before the first step, with zeros for the input feed."""
        state = super().first_state(memory, initial_state)
        if not self.input_feeding:
            return state
        batch = ops.shape(state.cells[0][0])[0]
        feed = ops.zeros((batch, self.input_feed_size), dtype=self.compute_dtype)
        return state._replace(input_feed=feed)

    def call(
        self, word: Tensor, state: DecoderState, memory: Memory, training: bool = False
    ) -> tuple[StepOutputs, DecoderState]:
        """One step; see the class for the equation."""
        inputs = ops.concatenate([word, state.input_feed], axis=-1) if self.input_feeding else word
        output, cells = self.advance(self.cells, inputs, state.cells, training)
        context, alignments, attention = self.attend(output, state, memory, training)
        readout: Any = self.readout(output, context, word) if self.feeds_readout else ()
        feed = (readout if self.feeds_readout else context) if self.input_feeding else ()
        outputs = StepOutputs(output, context, alignments, readout)
        return outputs, DecoderState(cells, feed, attention)
