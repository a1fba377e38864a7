"""A recurrent net that reads what is no sequence: one look after the other."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.decoder.cell import AttentionCell
from rnnpipe.layers.decoder.checks import check_given, check_memory, check_parts
from rnnpipe.layers.decoder.readout import Readout
from rnnpipe.layers.faults import fault


@keras.saving.register_keras_serializable("rnnpipe")
class GlimpseReader(keras.layers.Layer):
    """Looks at a memory again and again; what it has seen says where it looks next.

        contextₜ, αₜ = attention(hₜ₋₁, memory)      hₜ = cell(contextₜ, hₜ₋₁)

    With `AdditiveAttention` each look is soft, a weighted mean. With `HardAttention` around it a
    look is at one position, sampled in training, and `reinforce_loss` teaches where to look. With
    `CoverageAttention` it knows where it has looked.

    Args:
        cell: a recurrent cell of this package or of Keras, or several on top of each other.
        attention: the mechanism; `HardAttention(...)` for looks at one position at a time.
        looks: how many there are.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        memory: `(batch, source_time, features)` or a grid `(batch, height, width, channels)`.
        mask: `(batch, source_time)` or `(batch, height, width)`, True where memory may be read.
        initial_state: the first states of the cells, `(batch, units)` each; zeros if not given.
        training: whether dropout and samples are on.

    Returns:
        `(outputs, alignments)`: the last cell's output after each look, `(batch, looks, units)`,
        and `(batch, looks, glimpses, ...positions)`; hard attention's are a dict of these.

    Raises:
        UserError: if there is no cell, mechanism or look, or memory, mask or states do not fit.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import AdditiveAttention, GRUCell
        >>> reader = GlimpseReader(GRUCell(16), AdditiveAttention(8), looks=4)
        >>> outputs, alignments = reader(numpy.zeros((2, 8, 8, 5)))
        >>> tuple(outputs.shape), tuple(alignments.shape)
        ((2, 4, 16), (2, 4, 1, 8, 8))

    Source: Mnih et al., Recurrent Models of Visual Attention, 2014, section 3.1, with the cells of
    a grid in the place of coordinates; Ba, Mnih and Kavukcuoglu, Multiple Object Recognition with
    Visual Attention, 2015, section 3.
    """

    def __init__(self, cell: Any, attention: Any, looks: int = 6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        cells = list(cell) if isinstance(cell, list | tuple) else [cell]
        check_parts(self, cells, attention)
        if looks < 1:
            raise fault(self, "at least 1 look", str(looks), "write e.g. looks=6")
        self.looks = looks
        self.cell = AttentionCell(
            cells,
            attention,
            Readout("state", None, dtype=self.dtype_policy, name="readout"),
            look="before",
            input_feeding=True,
            dtype=self.dtype_policy,
            name="cell",
        )
        self.supports_masking = True

    @property
    def state_sizes(self) -> list[int]:
        """The sizes of the cells' states in order, for a `Bridge`."""
        return self.cell.state_sizes

    def build(self, memory_shape: Any) -> None:
        """Creates the weights for a memory of this shape."""
        check_given(self, memory_shape)
        self.cell.build((None, 0), memory_shape)

    def call(
        self, memory: Any, mask: Any = None, initial_state: Any = None, training: Any = False
    ) -> tuple[Any, Any]:
        """Looks and reads; see the class for the arguments."""
        check_memory(self, memory, mask)
        source = self.cell.source(memory, mask)
        state = self.cell.first_state(source, initial_state)
        # A decoder reads a word at each step; there is none here.
        nothing = ops.zeros((ops.shape(memory)[0], self.looks, 0), dtype=self.compute_dtype)
        outputs = self.cell.run(nothing, source, state, training)
        return outputs.output, outputs.alignments

    def compute_mask(self, *_: Any) -> None:
        """Every look counts."""
        return

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "cell": [serialize(cell) for cell in self.cell.cells],
            "attention": serialize(self.cell.attention),
            "looks": self.looks,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "GlimpseReader":
        """The layer that `get_config` told of."""
        make = keras.saving.deserialize_keras_object
        parts = {name: make(config[name]) for name in ("cell", "attention")}
        return cls(**{**config, **parts})
