"""What models that read step by step share: their recurrence, forwards alone, and its states."""

from collections.abc import Sequence
from typing import Any

from rnnpipe.errors import UserError


def check_reads_forwards(recurrence: Any, what: str, key: str) -> None:
    """Checks that a recurrence does not need the end of what it reads.

    Args:
        recurrence: the layer; None: there is none.
        what: it reads, e.g. `a video`.
        key: its setting.

    Raises:
        UserError: it reads backwards too.
    """
    import keras

    is_bidirectional = isinstance(recurrence, keras.layers.Bidirectional)
    if is_bidirectional or getattr(recurrence, "bidirectional", False):
        raise UserError(
            "a stream",
            "a recurrence that reads forwards",
            f"a bidirectional one, which reads {what} from its end too",
            f"train with {key}.bidirectional=false, or predict without --stream",
        )


def select_states(
    recurrence: Any, sequences: Any, states: Sequence[Any], number: Any
) -> Sequence[Any]:
    """The states before a step: at the first one those that are learned, if any are.

    Args:
        recurrence: the layer.
        sequences: what it reads, `(batch, time, features)`.
        states: those that the step before returned.
        number: of the steps so far and this one, `(batch, 1)`.
    """
    from keras import ops

    learned = getattr(recurrence, "first_states", None)
    if learned is None:
        return states
    first = learned(sequences)
    return [ops.where(number > 1, *pair) for pair in zip(states, first, strict=True)]
