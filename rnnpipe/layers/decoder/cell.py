"""Recurrent cells that attend: one step of a decoder, short of naming a word."""

from typing import Any

import keras
from keras import ops, tree

from rnnpipe.layers.decoder.checks import check_states
from rnnpipe.layers.decoder.loop import run
from rnnpipe.layers.decoder.readout import Readout
from rnnpipe.layers.decoder.structures import Outputs, Source, State, with_none, without_none

LOOKS = ("after", "before", "between")


class AttentionCell(keras.layers.Layer):
    """Recurrent cells on top of each other, and an attention that the last of them asks.

    Args:
        cells: of this package or of Keras.
        attention: the mechanism.
        readout: what is fed if it is of the kind `"tanh"` and the cells look after they step.
        look: `"after"` or `"before"` the cells step; `TopDownCell` looks `"between"` them.
        input_feeding: whether the cells read what attention found.
        **kwargs: `name`, `dtype`, as for every Keras layer.
    """

    def __init__(
        self,
        cells: list[Any],
        attention: Any,
        readout: Readout,
        *,
        look: str,
        input_feeding: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cells, self.attention, self.readout = cells, attention, readout
        self.look, self.input_feeding = look, input_feeding
        self.looks_before = look == "before"
        self.feeds_onward = input_feeding and look == "after"
        self.feeds_readout = self.feeds_onward and readout.kind == "tanh"

    @property
    def state_sizes(self) -> list[int]:
        """Of all states of all cells, in order."""
        return [size for cell in self.cells for size in _state_sizes(cell)]

    @property
    def output_size(self) -> int:
        """Of the last cell's output."""
        return output_size(self.cells[-1])

    def build(self, word_shape: Any, memory_shape: Any) -> None:
        """Builds mechanism, readout and cells for a word `(batch, features)` and a memory."""
        asks = _state_sizes(self.cells[-1])[0] if self.looks_before else self._asking_size()
        if not self.attention.built:
            self.attention.build((None, asks), memory_shape)
        memory = _symbolic(memory_shape, self.compute_dtype)
        query = keras.KerasTensor((None, asks), self.compute_dtype)
        self.context_size: int = self.attention(query, memory)[0].shape[-1]
        self.readout.build((None, self.output_size), (None, self.context_size), word_shape)
        self.fed_size: int = self._fed_size(memory_shape) if self.input_feeding else 0
        self.input_sizes = self._input_sizes(word_shape[-1])
        for cell, features in zip(self.cells, self.input_sizes, strict=True):
            if not cell.built:
                cell.build((None, features))
                cell.built = True

    def source(self, memory: Any, mask: Any) -> Source:
        """All that does not change from step to step."""
        memory = self.attention.blank(memory, mask)
        keys = self.attention.project(memory, mask)
        return Source(memory, without_none(mask), keys)

    def first_state(self, source: Source, initial_state: Any) -> State:
        """What the first step starts from; cells start from zeros where nothing is given."""
        batch = ops.shape(tree.flatten(source.memory)[0])[0]
        fed: Any = ()
        if self.feeds_onward:
            fed = ops.zeros((batch, self.fed_size), dtype=self.compute_dtype)
        attention = self.attention.first_state(source.memory, with_none(source.mask))
        return State(self._first_cells(batch, initial_state), fed, attention)

    def call(
        self, word: Any, state: State, source: Source, training: Any = False
    ) -> tuple[Outputs, State]:
        """One step, from the vector of the word before, `(batch, features)`."""
        inputs, found = word, None
        if self.looks_before:
            found = self._look(state.cells[-1][0], state, source, training)
            inputs = ops.concatenate([word, found[0]], axis=-1) if self.input_feeding else word
        elif self.input_feeding:
            inputs = ops.concatenate([word, state.fed], axis=-1)
        output, cells = self._advance(inputs, state.cells, training)
        context, alignments = found or self._look(output, state, source, training)
        readout = self.readout(output, context, word) if self.feeds_readout else ()
        attention = self.attention.next_state(state.attention, alignments)
        fed: Any = ()
        if self.feeds_onward:
            fed = readout if self.feeds_readout else context
        return Outputs(output, context, alignments, readout), State(cells, fed, attention)

    def run(self, words: Any, source: Source, state: State, training: Any) -> Outputs:
        """What all steps find, step by step, from words `(batch, time, features)`."""
        if training:
            self.draw_dropout(words[:, 0], state)

        def step(word: Any, before: Any) -> tuple[Outputs, State]:
            return self(word, State(*before), source, training=training)

        outputs = run(step, words, state, drawing=self.attention if training else None)
        self.forget_dropout()
        return outputs

    def draw_dropout(self, words: Any, state: State) -> None:
        """Draws the cells' own dropout masks, which hold for all steps; see `forget_dropout`."""
        batch = ops.shape(words)[0]
        for cell, states, size in zip(self.cells, state.cells, self.input_sizes, strict=True):
            if hasattr(cell, "get_dropout_mask"):
                cell.get_dropout_mask(ops.zeros((batch, size), dtype=self.compute_dtype))
                cell.get_recurrent_dropout_mask(states[0])

    def forget_dropout(self) -> None:
        """Drops the masks that `draw_dropout` drew."""
        for cell in self.cells:
            if hasattr(cell, "reset_dropout_mask"):
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()

    def _asking_size(self) -> int:
        """Of the query, where it is an output."""
        return self.output_size

    def _fed_size(self, memory_shape: Any) -> int:
        """Of what the first cell reads beside a word."""
        del memory_shape
        size: int = self.readout.units if self.feeds_readout else self.context_size
        return size

    def _input_sizes(self, word_size: int) -> list[int]:
        """Of what each cell reads."""
        return [word_size + self.fed_size, *map(output_size, self.cells[:-1])]

    def _look(self, query: Any, state: State, source: Source, training: Any) -> tuple[Any, Any]:
        return self.attention(
            query,
            source.memory,
            with_none(source.mask),
            keys=source.keys,
            state=state.attention,
            training=training,
        )

    def _advance(
        self, inputs: Any, states: Any, training: Any, cells: Any = None
    ) -> tuple[Any, Any]:
        """The output of the last of the cells, by default of all, and the states of each."""
        after = []
        for cell, before in zip(self.cells if cells is None else cells, states, strict=True):
            inputs, new = cell(inputs, list(before), training=training)
            after.append(tuple(new))
        return inputs, tuple(after)

    def _first_cells(self, batch: Any, initial_state: Any) -> Any:
        if initial_state is None:
            return tuple(tuple(_zeros(cell, batch, self.compute_dtype)) for cell in self.cells)
        given = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
        check_states(self, given, self.state_sizes)
        given = [ops.convert_to_tensor(state, dtype=self.compute_dtype) for state in given]
        return tuple(tuple(given.pop(0) for _ in _state_sizes(cell)) for cell in self.cells)


def _state_sizes(cell: Any) -> list[int]:
    return [cell.state_size] if isinstance(cell.state_size, int) else list(cell.state_size)


def output_size(cell: Any) -> int:
    """Of what a cell puts out."""
    size: int | None = getattr(cell, "output_size", None)
    return size or _state_sizes(cell)[0]


def _zeros(cell: Any, batch: Any, dtype: str) -> list[Any]:
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=batch)
        return list(states) if isinstance(states, list | tuple) else [states]
    return [ops.zeros((batch, size), dtype=dtype) for size in _state_sizes(cell)]


def _symbolic(shape: Any, dtype: str) -> Any:
    """Symbolic tensors of a shape, or of nested shapes, of any batch."""
    if shape and isinstance(shape[0], list | tuple):
        return [_symbolic(each, dtype) for each in shape]
    return keras.KerasTensor((None, *shape[1:]), dtype)
