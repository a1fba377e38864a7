"""Base of the cells of a decoder: recurrent cells and an attention mechanism, in one step."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops, tree

from rnnpipe.layers.attention import Attention
from rnnpipe.layers.decoder.checks import check_states
from rnnpipe.layers.decoder.readout import Readout
from rnnpipe.layers.decoder.scan import scan
from rnnpipe.layers.decoder.structures import (
    DecoderState,
    Memory,
    StepOutputs,
    empty_to_none,
    none_to_empty,
)
from rnnpipe.types import Nested, Shape, Tensor


class AttentionCell(keras.layers.Layer):
    """Recurrent cells on top of each other, and an attention mechanism that they query.

    A subclass has the equation of a paper in `call`, and the sizes that follow from it.

    Args:
        cells: recurrent cells of this package or of Keras, the lowest first.
        attention: the mechanism.
        readout: the readout of the decoder.
        input_feeding: whether the cells read the context.
        **kwargs: `name`, `dtype`, as for every Keras layer.

    Call arguments:
        word: the embedding of the previous word, `(batch, features)`.
        state: the state after the previous step.
        memory: what the attention reads.
        training: whether dropout is on.

    Returns:
        The outputs of the step and the next state.
    """

    def __init__(
        self,
        cells: list[Any],
        attention: Attention,
        readout: Readout,
        *,
        input_feeding: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cells, self.attention, self.readout = cells, attention, readout
        self.input_feeding = input_feeding

    @property
    def state_sizes(self) -> list[int]:
        """The sizes of all states of all cells, in order."""
        return [size for cell in self.cells for size in state_sizes(cell)]

    @property
    def output_size(self) -> int:
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    @property
    def query_size(self) -> int:
        """The size of the query."""
        return self.output_size

    def feed_size(self, memory_shape: Nested[Shape]) -> int:
        """The size of what the first cell reads beside the word, with input feeding."""
        del memory_shape
        return self.context_size

    def cell_input_sizes(self, first: int) -> list[int]:
        """The input size of every cell, where the first one reads `first` features."""
        return [first, *map(output_size, self.cells[:-1])]

    def build(self, word_shape: Shape, memory_shape: Nested[Shape]) -> None:
        """Builds mechanism, readout and cells for words `(batch, features)` and a memory."""
        if not self.attention.built:
            self.attention.build((None, self.query_size), memory_shape)
        memory = _symbolic(memory_shape, self.compute_dtype)
        query = keras.KerasTensor((None, self.query_size), self.compute_dtype)
        self.context_size: int = self.attention(query, memory)[0].shape[-1]
        self.readout.build((None, self.output_size), (None, self.context_size), word_shape)
        self.input_feed_size: int = self.feed_size(memory_shape) if self.input_feeding else 0
        self.input_sizes = self.cell_input_sizes(word_shape[-1] + self.input_feed_size)
        for cell, features in zip(self.cells, self.input_sizes, strict=True):
            if not cell.built:
                cell.build((None, features))
                cell.built = True

    def prepare(self, values: Nested[Tensor], mask: Nested[Tensor]) -> Memory:
        """Computes all that is the same at every step: masked values, and keys."""
        values = self.attention.blank(values, mask)
        return Memory(values, none_to_empty(mask), self.attention.project(values, mask))

    def first_state(self, memory: Memory, initial_state: Nested[Tensor]) -> DecoderState:
        """The state before the first step; `initial_state` is that of the cells, zeros if None."""
        batch = ops.shape(tree.flatten(memory.values)[0])[0]
        attention = self.attention.first_state(memory.values, empty_to_none(memory.mask))
        return DecoderState(self._first_cells(batch, initial_state), (), attention)

    def call(
        self, word: Tensor, state: DecoderState, memory: Memory, training: bool = False
    ) -> tuple[StepOutputs, DecoderState]:
        """One step; see the class for the arguments."""
        raise NotImplementedError

    def unroll(
        self, words: Tensor, memory: Memory, state: DecoderState, training: bool
    ) -> StepOutputs:
        """The outputs of all steps, `(batch, time, ...)`, from words `(batch, time, features)`."""
        if training:
            self.draw_dropout(words[:, 0], state)

        def step(word: Tensor, carry: tuple[Any, ...]) -> tuple[StepOutputs, DecoderState]:
            return self(word, DecoderState(*carry), memory, training=training)

        outputs: StepOutputs = scan(
            step, words, state, random_layer=self.attention if training else None
        )
        self.reset_dropout()
        return outputs

    def draw_dropout(self, words: Tensor, state: DecoderState) -> None:
        """Draws the cells' own dropout masks, which hold for all steps; see `reset_dropout`."""
        batch = ops.shape(words)[0]
        for cell, states, size in zip(self.cells, state.cells, self.input_sizes, strict=True):
            if hasattr(cell, "get_dropout_mask"):
                cell.get_dropout_mask(ops.zeros((batch, size), dtype=self.compute_dtype))
                cell.get_recurrent_dropout_mask(states[0])

    def reset_dropout(self) -> None:
        """Drops the masks that `draw_dropout` drew."""
        for cell in self.cells:
            if hasattr(cell, "reset_dropout_mask"):
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()

    def attend(
        self, query: Tensor, state: DecoderState, memory: Memory, training: bool
    ) -> tuple[Tensor, Nested[Tensor], Nested[Tensor]]:
        """Context, alignments and the next state of the mechanism for a query `(batch, size)`."""
        context, alignments = self.attention(
            query,
            memory.values,
            empty_to_none(memory.mask),
            keys=memory.keys,
            state=state.attention,
            training=training,
        )
        return context, alignments, self.attention.next_state(state.attention, alignments)

    def advance(
        self, cells: Sequence[Any], inputs: Tensor, states: Nested[Tensor], training: bool
    ) -> tuple[Tensor, tuple[Any, ...]]:
        """Runs cells on top of each other: the output of the last one, and the states of each."""
        new_states = []
        for cell, before in zip(cells, states, strict=True):
            inputs, after = cell(inputs, list(before), training=training)
            new_states.append(tuple(after))
        return inputs, tuple(new_states)

    def _first_cells(self, batch: Any, initial_state: Nested[Tensor]) -> tuple[Any, ...]:
        if initial_state is None:
            return tuple(tuple(_zeros(cell, batch, self.compute_dtype)) for cell in self.cells)
        states = tree.flatten(initial_state)  # those of each cell may be in a list of their own
        check_states(self, states, self.state_sizes)
        rest = iter(ops.convert_to_tensor(state, dtype=self.compute_dtype) for state in states)
        return tuple(tuple(next(rest) for _ in state_sizes(cell)) for cell in self.cells)


def state_sizes(cell: Any) -> list[int]:
    """The sizes of a cell's states."""
    return [cell.state_size] if isinstance(cell.state_size, int) else list(cell.state_size)


def output_state(cell: Any) -> int:
    """Which of a cell's states is its output; the first, unless the cell says another."""
    index: int = getattr(cell, "output_state", 0)
    return index


def output_size(cell: Any) -> int:
    """The size of a cell's output."""
    size: int | None = getattr(cell, "output_size", None)
    return size or state_sizes(cell)[0]


def _zeros(cell: Any, batch: Any, dtype: str) -> list[Tensor]:
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=batch)
        return list(states) if isinstance(states, list | tuple) else [states]
    return [ops.zeros((batch, size), dtype=dtype) for size in state_sizes(cell)]


def _symbolic(shape: Nested[Shape], dtype: str) -> Nested[Tensor]:
    """Symbolic tensors of a shape, or of nested shapes, with any batch."""
    if shape and isinstance(shape[0], list | tuple):
        return [_symbolic(part, dtype) for part in shape]
    return keras.KerasTensor((None, *shape[1:]), dtype)
