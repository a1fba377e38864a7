"""What the rows of an embedding and the units of an output layer stand for."""

from collections.abc import Sequence
from typing import NamedTuple


class RowNames(NamedTuple):
    """The names of the rows of an embedding, or of the units of an output layer, in their order.

    Args:
        kind: what they are, in the plural: `tokens`, `labels` or `answers`.
        names: each once.
    """

    kind: str
    names: Sequence[str]
