"""The cell of Bahdanau et al. (2015): attend, then the cells step."""

from keras import ops

from rnnpipe.layers.decoder.cell import AttentionCell, output_state, state_sizes
from rnnpipe.layers.decoder.structures import DecoderState, Memory, StepOutputs
from rnnpipe.types import Tensor


class BahdanauCell(AttentionCell):
    """Recurrent cells that read the context which their previous state has found.

        c, α = attention(s, memory)      s = cells([e; c], s)

    The query is the output of the last cell, as its state has it. The arguments are those of
    `AttentionCell`.

    Source: Bahdanau, Cho and Bengio, Neural Machine Translation by Jointly Learning to Align and
    Translate, 2015, A.2.2.
    """

    @property
    def query_size(self) -> int:
        """The size of the last cell's output."""
        return state_sizes(self.cells[-1])[output_state(self.cells[-1])]

    def call(
        self, word: Tensor, state: DecoderState, memory: Memory, training: bool = False
    ) -> tuple[StepOutputs, DecoderState]:
        """One step; see the class for the equation."""
        query = state.cells[-1][output_state(self.cells[-1])]
        context, alignments, attention = self.attend(query, state, memory, training)
        inputs = ops.concatenate([word, context], axis=-1) if self.input_feeding else word
        output, cells = self.advance(self.cells, inputs, state.cells, training)
        outputs = StepOutputs(output, context, alignments, ())
        return outputs, DecoderState(cells, (), attention)
