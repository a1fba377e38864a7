"""A recurrent network that reads a memory in glimpses."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention import Attention
from rnnpipe.layers.decoder.bahdanau import BahdanauCell
from rnnpipe.layers.decoder.checks import check_memory, check_memory_given, check_parts
from rnnpipe.layers.decoder.readout import Readout
from rnnpipe.layers.errors import is_count, layer_error
from rnnpipe.types import Nested, Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class GlimpseReader(keras.layers.Layer):
    """Attends to a memory at every step; the state of a recurrent cell is the query.

        contextₜ, αₜ = attention(hₜ₋₁, memory)      hₜ = cell(contextₜ, hₜ₋₁)

    With `AdditiveAttention` each step reads a weighted mean. With `HardAttention` around it a step
    reads one position, which is sampled in training, and `reinforce_loss` trains the choice. With
    `CoverageAttention` the query takes earlier steps into account.

    Args:
        cell: a recurrent cell of this package or of Keras, or a list of them, the lowest first.
        attention: the mechanism; `HardAttention(...)` to read one position at a time.
        steps: how many glimpses it takes.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        memory: `(batch, source_time, features)` or a grid `(batch, height, width, channels)`.
        mask: `(batch, source_time)` or `(batch, height, width)`, True where it may be read; by
            default the mask that the memory carries.
        initial_state: the first states of the cells, `(batch, units)` each; zeros by default.
        training: whether dropout and sampling are on.

    Returns:
        `(outputs, alignments)`: the last cell's output at each step, `(batch, steps, units)`, and
        `(batch, steps, glimpses, ...positions)`, of hard attention a dict of these.

    Raises:
        UserError: if there is no cell, mechanism or step, or memory, mask or states do not fit.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import AdditiveAttention, GRUCell
        >>> reader = GlimpseReader(GRUCell(16), AdditiveAttention(8), steps=4)
        >>> outputs, alignments = reader(numpy.zeros((2, 8, 8, 5)))
        >>> tuple(outputs.shape), tuple(alignments.shape)
        ((2, 4, 16), (2, 4, 1, 8, 8))

    Source: Mnih et al., Recurrent Models of Visual Attention, 2014, section 3.1, with the cells of
    a grid instead of coordinates; Ba, Mnih and Kavukcuoglu, Multiple Object Recognition with
    Visual Attention, 2015, section 3.
    """

    def __init__(self, cell: Any, attention: Attention, steps: int = 6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        cells = list(cell) if isinstance(cell, list | tuple) else [cell]
        check_parts(self, cells, attention)
        if not is_count(steps):
            raise layer_error(self, "at least 1 step", str(steps), "write e.g. steps=6")
        self.steps = steps
        self.cell = BahdanauCell(
            cells,
            attention,
            Readout("state", None, dtype=self.dtype_policy, name="readout"),
            input_feeding=True,
            dtype=self.dtype_policy,
            name="cell",
        )
        self.supports_masking = True

    @property
    def state_sizes(self) -> list[int]:
        """The sizes of the cells' states in order, for a `Bridge`."""
        return self.cell.state_sizes

    def build(self, memory_shape: Shape) -> None:
        """Creates the weights for a memory of this shape."""
        check_memory_given(self, memory_shape)
        self.cell.build((None, 0), memory_shape)

    def call(
        self,
        memory: Tensor,
        mask: Tensor = None,
        initial_state: Nested[Tensor] = None,
        training: bool = False,
        *,
        memory_mask: Tensor = None,
    ) -> tuple[Tensor, Nested[Tensor]]:
        """Reads the memory; see the class for the arguments."""
        # Where there is a state too, Keras passes the mask that a memory carries by this name only.
        mask = memory_mask if mask is None else mask
        check_memory(self, memory, mask)
        prepared = self.cell.prepare(memory, mask)
        state = self.cell.first_state(prepared, initial_state)
        # In place of a decoder's words: inputs of no features.
        inputs = ops.zeros((ops.shape(memory)[0], self.steps, 0), dtype=self.compute_dtype)
        outputs = self.cell.unroll(inputs, prepared, state, training)
        return outputs.output, outputs.alignments

    def compute_mask(self, *_: Any) -> None:
        """The outputs carry no mask."""
        return

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "cell": [serialize(cell) for cell in self.cell.cells],
            "attention": serialize(self.cell.attention),
            "steps": self.steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "GlimpseReader":
        """Creates a layer from its config."""
        make = keras.saving.deserialize_keras_object
        parts = {name: make(config[name]) for name in ("cell", "attention")}
        return cls(**{**config, **parts})
