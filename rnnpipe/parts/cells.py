"""Recurrent cells: what a recurrence or a decoder is made of."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import Kinds, Settings, fraction, setting

if TYPE_CHECKING:
    import keras

_HERE = "rnnpipe.parts.cells"


class CellOptions(Settings):
    """A recurrent cell.

    A subclass has a `kind` and makes the cell. Other packages add kinds by the entry point group
    `rnnpipe.cells`.

    Example:
        >>> LSTMOptions(units=8).make_cell().state_size
        [8, 8]
    """

    kinds = Kinds(
        "rnnpipe.cells",
        {
            "lstm": f"{_HERE}:LSTMOptions",
            "gru": f"{_HERE}:GRUOptions",
            "vanilla": f"{_HERE}:VanillaRNNOptions",
            "layer_norm_lstm": f"{_HERE}:LayerNormLSTMOptions",
            "layer_norm_gru": f"{_HERE}:LayerNormGRUOptions",
            "layer_norm_vanilla": f"{_HERE}:LayerNormVanillaRNNOptions",
            "peephole_lstm": f"{_HERE}:PeepholeLSTMOptions",
            "projection_lstm": f"{_HERE}:ProjectionLSTMOptions",
            "highway_lstm": f"{_HERE}:HighwayLSTMOptions",
            "recurrent_highway": f"{_HERE}:RecurrentHighwayOptions",
            "att2in": f"{_HERE}:Att2InOptions",
        },
    )

    reads_context: ClassVar[bool] = False
    """Whether it reads the context of attention beside its inputs, as only a decoder has it."""

    kind: str
    units: int = setting(256, "units, in each direction of a bidirectional layer", ge=1)

    @property
    def output_size(self) -> int:
        """The features of its output."""
        return self.units

    def make_cell(self) -> "keras.layers.Layer":
        """The cell, for a decoder or `keras.layers.RNN`."""
        raise NotImplementedError

    def make_layer(self, **options: Any) -> "keras.layers.Layer":
        """A recurrent layer of this cell.

        Args:
            **options: those of `keras.layers.RNN`, e.g. `return_sequences`.
        """
        import keras

        return keras.layers.RNN(self.make_cell(), **options)


class _ForgetBiasOptions(CellOptions):
    forget_bias: float = setting(
        1.0, "where the forget gate's bias starts; at a large value an untrained cell remembers"
    )

    @property
    def _bias(self) -> dict[str, Any]:
        from rnnpipe.layers import ForgetBias

        return {"bias_initializer": ForgetBias(self.forget_bias)}


class _DroppedOptions(CellOptions):
    recurrent_dropout: float = fraction(help="of the states that the cell reads, in training")
    weight_drop: float = fraction(
        help="of the recurrent weights, the same at all steps of a batch, in training: DropConnect "
        "(Merity et al. 2018)"
    )

    def _check_cell(self) -> None:
        if self.weight_drop:
            expected = "0 where a cell is stepped by itself, in a decoder or with zoneout"
            raise UserError("cell.weight_drop", expected, str(self.weight_drop), "leave it out")


class LSTMOptions(_ForgetBiasOptions, _DroppedOptions):
    """Long short-term memory (Hochreiter & Schmidhuber 1997)."""

    kind: Literal["lstm"] = "lstm"

    @property
    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"recurrent_dropout": self.recurrent_dropout}
        if self.forget_bias != 1.0:  # Keras' own
            options |= {"unit_forget_bias": False, **self._bias}
        return options

    def make_cell(self) -> "keras.layers.Layer":
        """An `LSTMCell`."""
        from rnnpipe.layers import LSTMCell

        self._check_cell()
        return LSTMCell(self.units, **self._options)

    def make_layer(self, **options: Any) -> "keras.layers.Layer":
        """An `LSTM`."""
        from rnnpipe.layers import LSTM

        return LSTM(self.units, **self._options, weight_drop=self.weight_drop, **options)


class GRUOptions(_DroppedOptions):
    """Gated recurrent unit (Cho et al. 2014)."""

    kind: Literal["gru"] = "gru"
    reset_after: bool = setting(
        True, "whether the reset gate acts after the recurrent product, as cuDNN has it"
    )

    @property
    def _options(self) -> dict[str, Any]:
        return {"recurrent_dropout": self.recurrent_dropout, "reset_after": self.reset_after}

    def make_cell(self) -> "keras.layers.Layer":
        """A `GRUCell`."""
        from rnnpipe.layers import GRUCell

        self._check_cell()
        return GRUCell(self.units, **self._options)

    def make_layer(self, **options: Any) -> "keras.layers.Layer":
        """A `GRU`."""
        from rnnpipe.layers import GRU

        return GRU(self.units, **self._options, weight_drop=self.weight_drop, **options)


class VanillaRNNOptions(_DroppedOptions):
    """Vanilla recurrent network (Elman 1990)."""

    kind: Literal["vanilla"] = "vanilla"
    activation: Literal["tanh", "relu"] = setting("tanh", "of the new state")

    @property
    def _options(self) -> dict[str, Any]:
        return {"activation": self.activation, "recurrent_dropout": self.recurrent_dropout}

    def make_cell(self) -> "keras.layers.Layer":
        """A `VanillaRNNCell`."""
        from rnnpipe.layers import VanillaRNNCell

        self._check_cell()
        return VanillaRNNCell(self.units, **self._options)

    def make_layer(self, **options: Any) -> "keras.layers.Layer":
        """A `VanillaRNN`."""
        from rnnpipe.layers import VanillaRNN

        return VanillaRNN(self.units, **self._options, weight_drop=self.weight_drop, **options)


class LayerNormLSTMOptions(_ForgetBiasOptions):
    """LSTM with layer normalisation (Ba et al. 2016)."""

    kind: Literal["layer_norm_lstm"] = "layer_norm_lstm"

    def make_cell(self) -> "keras.layers.Layer":
        """A `LayerNormLSTMCell`."""
        from rnnpipe.layers import LayerNormLSTMCell

        return LayerNormLSTMCell(self.units, **self._bias)


class LayerNormGRUOptions(CellOptions):
    """GRU with layer normalisation (Ba et al. 2016)."""

    kind: Literal["layer_norm_gru"] = "layer_norm_gru"

    def make_cell(self) -> "keras.layers.Layer":
        """A `LayerNormGRUCell`."""
        from rnnpipe.layers import LayerNormGRUCell

        return LayerNormGRUCell(self.units)


class LayerNormVanillaRNNOptions(CellOptions):
    """Vanilla recurrent network with layer normalisation (Ba et al. 2016)."""

    kind: Literal["layer_norm_vanilla"] = "layer_norm_vanilla"

    def make_cell(self) -> "keras.layers.Layer":
        """A `LayerNormVanillaRNNCell`."""
        from rnnpipe.layers import LayerNormVanillaRNNCell

        return LayerNormVanillaRNNCell(self.units)


class PeepholeLSTMOptions(_ForgetBiasOptions):
    """LSTM whose gates read the cell's state (Gers et al. 2002)."""

    kind: Literal["peephole_lstm"] = "peephole_lstm"

    def make_cell(self) -> "keras.layers.Layer":
        """A `PeepholeLSTMCell`."""
        from rnnpipe.layers import PeepholeLSTMCell

        return PeepholeLSTMCell(self.units, **self._bias)


class ProjectionLSTMOptions(_ForgetBiasOptions):
    """LSTM whose output is projected to fewer units (Sak et al. 2014)."""

    kind: Literal["projection_lstm"] = "projection_lstm"
    projection: int = setting(128, "units of the output", ge=1)

    @property
    def output_size(self) -> int:
        """The features of its output."""
        return self.projection

    def make_cell(self) -> "keras.layers.Layer":
        """A `ProjectionLSTMCell`."""
        from rnnpipe.layers import ProjectionLSTMCell

        return ProjectionLSTMCell(self.units, self.projection, **self._bias)


class HighwayLSTMOptions(_ForgetBiasOptions):
    """LSTM layers whose cell states are joined by highways (Zhang et al. 2016)."""

    kind: Literal["highway_lstm"] = "highway_lstm"
    depth: int = setting(2, "layers in each step", ge=1)

    def make_cell(self) -> "keras.layers.Layer":
        """A `HighwayLSTMCell`."""
        from rnnpipe.layers import HighwayLSTMCell

        return HighwayLSTMCell(self.units, self.depth, **self._bias)


class RecurrentHighwayOptions(CellOptions):
    """Recurrent highway network (Zilly et al. 2017)."""

    kind: Literal["recurrent_highway"] = "recurrent_highway"
    depth: int = setting(3, "highway layers in each step", ge=1)
    transform_bias: float = setting(
        -2.0, "where the transform gate's bias starts: the lower, the more a new cell carries on"
    )

    def make_cell(self) -> "keras.layers.Layer":
        """A `RecurrentHighwayCell`."""
        from rnnpipe.layers import RecurrentHighwayCell

        return RecurrentHighwayCell(self.units, self.depth, transform_bias=self.transform_bias)


class Att2InOptions(CellOptions):
    """LSTM of a decoder whose context goes into its cell, past its gates (Rennie et al. 2017)."""

    kind: Literal["att2in"] = "att2in"
    reads_context = True

    def make_cell(self, context: int | None = None) -> "keras.layers.Layer":
        """An `Att2InCell`.

        Args:
            context: features of what attention finds.

        Raises:
            UserError: there is no attention.
        """
        from rnnpipe.layers import Att2InCell

        if context is None:
            fix = "write another cell.kind, e.g. lstm"
            raise UserError("cell.kind", "a cell that reads a sequence alone", "att2in", fix)
        return Att2InCell(self.units, context)
