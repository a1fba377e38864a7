"""Recurrent layers on top of each other, whose states come in and go out."""

from collections.abc import Sequence
from typing import Any, Literal

from keras import layers

from rnnpipe.errors import UserError
from rnnpipe.layers import GRU, LSTM, RecurrentHighwayCell, RecurrentStack, VanillaRNN

Kind = Literal["lstm", "gru", "vanilla", "highway"]


def build_recurrence(
    kind: Kind,
    units: int,
    *,
    depth: int = 1,
    bidirectional: bool = False,
    dropout: float = 0.0,
    connection: Literal["residual", "highway"] | None = None,
) -> RecurrentStack:
    """Recurrent layers on top of each other, which return their sequences and states.

    Args:
        kind: which; `highway` is a recurrent highway network with three layers in each step.
        units: of each layer, in each direction.
        depth: how many layers.
        bidirectional: whether each also reads backwards.
        dropout: share of the outputs between two layers dropped in training.
        connection: how a layer's input joins its output, see `RecurrentStack`.
    """
    options = {"return_sequences": True, "return_state": True}
    if kind == "highway":
        layer: Any = layers.RNN(RecurrentHighwayCell(units, depth=3), **options)
    else:
        layer = {"lstm": LSTM, "gru": GRU, "vanilla": VanillaRNN}[kind](units, **options)
    return RecurrentStack(
        layer,
        depth,
        bidirectional=bidirectional,
        dropout=dropout,
        connection=connection,
        name="recurrence",
    )


def find_state_sizes(recurrence: Any, sequences: Any) -> Sequence[int]:
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
