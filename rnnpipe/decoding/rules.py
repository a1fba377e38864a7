"""Constraints that are functions of the tokens so far."""

from collections.abc import Sequence

import numpy as np

from rnnpipe import ops
from rnnpipe.decoding.constraints import Constraint
from rnnpipe.text.tokens import END
from rnnpipe.types import Tensor


class _NoImmediateRepeat:
    """Forbids the last token; a function of each row alone."""

    def __call__(self, log_probs: Tensor, ids: Tensor, t: Tensor) -> Tensor:
        last = ops.take(ids, ops.maximum(t - 1, 0), axis=1)
        is_last = last[:, None] == ops.arange(log_probs.shape[-1], dtype=ids.dtype)
        return ops.where(ops.logical_and(is_last, t > 0), -np.inf, log_probs)

    def select_rows(self, rows: Tensor) -> "_NoImmediateRepeat":
        """The same: it holds nothing of the rows."""
        del rows
        return self


no_immediate_repeat: Constraint = _NoImmediateRepeat()
"""Forbids the same token twice in a row.

Example:
    >>> from keras import ops
    >>> ids = ops.array([[2, 0]])
    >>> no_immediate_repeat(ops.zeros((1, 4)), ids, 1).numpy().tolist()
    [[0.0, 0.0, -inf, 0.0]]
"""


class _BadEndings:
    def __init__(self, tokens: Sequence[int], end: int) -> None:
        self.tokens, self.end = list(tokens), end

    def __call__(self, log_probs: Tensor, ids: Tensor, t: Tensor) -> Tensor:
        last = ops.take(ids, ops.maximum(t - 1, 0), axis=1)
        is_bad = ops.any(last[:, None] == ops.array(self.tokens, dtype=ids.dtype), axis=1)
        is_end = ops.arange(log_probs.shape[-1], dtype="int32") == self.end
        forbidden = ops.logical_and(ops.logical_and(is_bad, t > 0)[:, None], is_end)
        return ops.where(forbidden, -np.inf, log_probs)

    def select_rows(self, rows: Tensor) -> "_BadEndings":
        """The same: it holds nothing of the rows."""
        del rows
        return self


def bad_endings(tokens: Sequence[int], end: int = END) -> Constraint:
    """Forbids a sequence to end after certain tokens, e.g. an article or a preposition.

    A sequence that has its maximum length is cut all the same.

    Args:
        tokens: their ids.
        end: the end token.

    Example:
        >>> from keras import ops
        >>> constraint = bad_endings([2], end=3)
        >>> constraint(ops.zeros((1, 4)), ops.array([[2, 0]]), 1).numpy().tolist()
        [[0.0, 0.0, 0.0, -inf]]
    """
    return _BadEndings(tokens, end)
