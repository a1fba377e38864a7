"""Recurrent layers on top of each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.parts.cells import CellOptions, LSTMOptions
from rnnpipe.settings import Settings, fraction, setting

if TYPE_CHECKING:
    import keras

    from rnnpipe.layers import RecurrentStack


class RecurrenceOptions(Settings):
    """Recurrent layers on top of each other.

    Example:
        >>> from rnnpipe.parts.cells import GRUOptions
        >>> stack = RecurrenceOptions(cell=GRUOptions(units=4), depth=3).make()
        >>> import numpy
        >>> [tuple(tensor.shape) for tensor in stack(numpy.zeros((2, 7, 3)))]
        [(2, 7, 4), (2, 4), (2, 4), (2, 4)]
    """

    cell: CellOptions = LSTMOptions()
    depth: int = setting(1, "layers on top of each other", ge=1)
    bidirectional: bool = setting(False, "whether each layer also reads backwards")
    connection: Literal["residual", "highway"] | None = setting(
        None, "how a layer's input joins its output; null: not at all"
    )
    dropout: float = fraction(help="of the outputs between two layers, in training")
    variational_dropout: bool = setting(
        False,
        "whether dropout between layers, and of what a language model or a text classifier puts "
        "into them and takes from them, drops the same features at all steps "
        "(Gal & Ghahramani 2016)",
    )
    zoneout: float = fraction(
        help="share of the states that keep their value (Krueger et al. 2017)"
    )
    learned_state: bool = setting(False, "whether the first states are learned, and not zeros")

    @property
    def output_size(self) -> int:
        """The features of the outputs: twice those of the cell where there are two directions."""
        return self.cell.output_size * (2 if self.bidirectional else 1)

    def check(self) -> None:
        """The cell reads no context, there are layers to act between, zoneout draws for itself."""
        if self.cell.reads_context:
            expected, got = "a cell that reads a sequence alone", self.cell.kind
            raise UserError("cell.kind", expected, got, "write another kind, e.g. lstm")
        if self.depth == 1:
            for name, value, without in (
                ("dropout", self.dropout, "0"),
                ("connection", self.connection, "null"),
            ):
                if value:
                    expected = f"{without} with one layer, as it acts between two"
                    fix = f"raise depth, or write {without}"
                    raise UserError(name, expected, str(value), fix)
        for name in ("recurrent_dropout", "weight_drop"):
            if self.zoneout and (value := getattr(self.cell, name, 0.0)):
                fix = "choose one of both"
                raise UserError(f"cell.{name}", "0 with zoneout", str(value), fix)

    def make(
        self, *, return_sequences: bool = True, return_state: bool = True, name: str = "recurrence"
    ) -> "RecurrentStack":
        """The layers.

        Args:
            return_sequences: whether it returns the outputs of all steps, or of the last alone.
            return_state: whether it returns the last states of all layers too.
            name: of the layer.
        """
        from rnnpipe.layers import RecurrentStack, Zoneout

        options = {"return_sequences": return_sequences, "return_state": return_state}
        if self.zoneout:
            layer = Zoneout(self.cell.make_cell(), self.zoneout, **options)
        else:
            layer = self.cell.make_layer(**options)
        return RecurrentStack(layer, self.depth, name=name, **self._stack_options)

    def make_dropout(self, rate: float, *, name: str) -> "keras.layers.Layer":
        """Dropout of a sequence `(batch, time, features)` as it is between the layers.

        Args:
            rate: share of the features.
            name: of the layer.
        """
        import keras

        if self.variational_dropout:
            return keras.layers.SpatialDropout1D(rate, name=name)
        return keras.layers.Dropout(rate, name=name)

    @property
    def _stack_options(self) -> dict[str, Any]:
        names = "bidirectional", "dropout", "variational_dropout", "connection", "learned_state"
        return {name: getattr(self, name) for name in names}


class PyramidalRecurrenceOptions(RecurrenceOptions):
    """Recurrent layers whose sequences may become shorter from layer to layer (Chan et al. 2016).

    Example:
        >>> from rnnpipe.parts.cells import GRUOptions
        >>> cell = GRUOptions(units=4)
        >>> options = PyramidalRecurrenceOptions(cell=cell, depth=3, time_reduction=2)
        >>> import numpy
        >>> tuple(options.make()(numpy.zeros((2, 16, 3)))[0].shape), options.factor
        ((2, 4, 4), 4)
    """

    time_reduction: int = setting(
        1, "outputs of a layer that become one input of the next; 1: the time stays", ge=1
    )

    @property
    def factor(self) -> int:
        """How many steps of the inputs are one of the outputs."""
        return self.time_reduction ** (self.depth - 1)

    @property
    def _stack_options(self) -> dict[str, Any]:
        return {**super()._stack_options, "time_reduction": self.time_reduction}

    def check(self) -> None:
        """Besides: there are layers to reduce between, and no connection past them."""
        super().check()
        if self.depth == 1:
            self.require_default("time_reduction", "with one layer")
        if self.connection:
            self.require_default("time_reduction", f"with {self.connection} connections")


def find_state_sizes(recurrence: "keras.layers.Layer", sequences: Any) -> Sequence[int]:
    """The sizes of the states that a recurrent layer returns.

    Args:
        recurrence: the layer.
        sequences: what it reads, `(batch, time, features)`.

    Raises:
        UserError: it does not return its states, or not its sequences.
    """
    returned = recurrence(sequences)
    if not isinstance(returned, list | tuple) or len(returned[0].shape) != 3:
        raise UserError(
            "recurrence",
            "a layer that returns its sequences and its states",
            f"{type(recurrence).__name__} without",
            "build it with return_sequences=True and return_state=True",
        )
    return [state.shape[-1] for state in returned[1:]]
