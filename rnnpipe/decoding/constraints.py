"""What a decoded sequence may not be, whatever the strategy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from rnnpipe.decoding.structures import tile
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import PAD


@dataclass(frozen=True, eq=False)
class Constraints:
    """What a decoded sequence may not be.

    A forbidden token is never chosen; the others keep the log-probabilities that the model gave
    them, so that scores remain those of the model. Where nothing at all is left, the sequence ends.

    Args:
        min_length: the least length, the end token included, as in `Decoded.lengths`.
        banned: tokens that never come; the end token among them lets every sequence run to its
            greatest length.
        no_repeat_ngram: n, if no n tokens may come twice in a sequence (Paulus et al. 2017,
            section 2.5); 0 allows all.
        prefix: `(batch, prefix_time)` int: what sequences must begin with, PAD where a row is free.
            It wins over all the others, and counts in the score.

    Raises:
        UserError: if a number is out of range.

    Example:
        >>> Constraints(min_length=3, banned=[1], no_repeat_ngram=3).min_length
        3
    """

    min_length: int = 0
    banned: Sequence[int] = ()
    no_repeat_ngram: int = 0
    prefix: Any = None

    def __post_init__(self) -> None:
        for name in ("min_length", "no_repeat_ngram"):
            if getattr(self, name) < 0:
                raise UserError(name, "0 or more", str(getattr(self, name)), "write 0 for none")
        if self.prefix is not None and len(self.prefix.shape) != 2:
            shape = str(tuple(self.prefix.shape))
            raise UserError("prefix", "(batch, prefix_time)", shape, "give each row its tokens")


class Rules:
    """Constraints bound to a vocabulary and a batch.

    Args:
        constraints: what is forbidden.
        shape: `(rows, vocab)` of the log-probabilities; rows may be None.
        max_length: the greatest length.
        end: the end token.
        copies: how many rows each row of the batch was tiled to.
    """

    def __init__(
        self, constraints: Constraints, shape: Any, *, max_length: int, end: int, copies: int = 1
    ) -> None:
        rows, vocab = shape
        _check(constraints, None if rows is None else rows // copies, max_length, vocab)
        self.min_length, self.ngram = constraints.min_length, constraints.no_repeat_ngram
        self.vocab, self.tokens = vocab, ops.arange(vocab, dtype="int32")[None]
        self.is_end = self.tokens == end
        # Nothing but the prefix can take the end of an n-gram longer than any sequence.
        self.blocks = 0 < self.ngram <= max_length
        free = np.ones((1, vocab), "bool")
        free[:, list(constraints.banned)] = False
        self.free = free
        self.restricts = bool(self.blocks or constraints.banned or self.min_length > 1)
        self.prefix = None
        if constraints.prefix is not None and constraints.prefix.shape[1]:
            self.prefix = tile(ops.cast(constraints.prefix, "int32"), copies)

    def __call__(self, log_probs: Any, ids: Any, t: Any) -> Any:
        """Log-probabilities with -inf where a token is forbidden.

        Args:
            log_probs: `(rows, vocab)`.
            ids: `(rows, time)`, of which the first `t` are chosen.
            t: how many tokens are chosen.
        """
        kept = log_probs
        if self.restricts:
            kept = ops.where(self._allowed(ids, t), log_probs, -np.inf)
        if self.prefix is not None:
            time = self.prefix.shape[1]
            asked = ops.take(self.prefix, ops.minimum(t, time - 1), axis=1)[:, None]
            forced = ops.logical_and(asked != PAD, t < time)
            only = ops.where(self.tokens == asked, log_probs, -np.inf)
            kept = ops.where(forced, only, kept)
        return kept

    def _allowed(self, ids: Any, t: Any) -> Any:
        too_short = ops.logical_and(self.is_end, t + 1 < self.min_length)
        allowed = ops.logical_and(self.free, ops.logical_not(too_short))
        if self.blocks:
            allowed = ops.logical_and(allowed, ops.logical_not(self._repeats(ids, t)))
        stuck = ops.logical_not(ops.any(allowed, axis=-1, keepdims=True))
        return ops.logical_or(allowed, ops.logical_and(stuck, self.is_end))

    def _repeats(self, ids: Any, t: Any) -> Any:
        """`(rows, vocab)`: tokens that would end an n-gram which is there already."""
        rows, time = ops.shape(ids)
        context = self.ngram - 1
        starts = time - context
        # A place is followed by what must not follow again if the n - 1 tokens there are the last.
        same = ops.broadcast_to(ops.arange(starts, dtype="int32") + context < t, (rows, starts))
        for place in range(context):
            last = ops.take(ids, ops.maximum(t - context + place, 0), axis=1)
            same = ops.logical_and(same, ids[:, place : place + starts] == last[:, None])
        row = ops.broadcast_to(ops.arange(rows, dtype="int32")[:, None], (rows, starts))
        cells = ops.stack([ops.reshape(row, (-1,)), ops.reshape(ids[:, context:], (-1,))], axis=1)
        counts = ops.scatter(cells, ops.cast(ops.reshape(same, (-1,)), "int32"), (rows, self.vocab))
        return counts > 0


def _check(constraints: Constraints, batch: int | None, max_length: int, vocab: int) -> None:
    if constraints.min_length > max_length:
        expected = f"at most max_length, {max_length}"
        raise UserError("min_length", expected, str(constraints.min_length), "lower it")
    outside = [token for token in constraints.banned if not 0 <= token < vocab]
    if outside:
        expected = f"tokens of the vocabulary, 0 to {vocab - 1}"
        raise UserError("banned", expected, str(outside), "pass ids of this vocabulary")
    if constraints.prefix is None:
        return
    rows, time = constraints.prefix.shape
    if time > max_length:
        expected = f"at most max_length, {max_length}, tokens"
        raise UserError("prefix", expected, str(time), "raise max_length")
    if None not in (rows, batch) and rows != batch:
        raise UserError("prefix", f"{batch} rows, as the batch has", str(rows), "give one for each")
