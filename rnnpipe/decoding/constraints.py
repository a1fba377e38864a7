"""What a decoded sequence may not be, whatever the strategy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from rnnpipe.decoding.step import check_count, check_tokens
from rnnpipe.decoding.structures import padded, tile
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
        prefix: `(batch, prefix_time)` int, PAD where a row is free, or a list of tokens for each
            row: what sequences must begin with. It wins over all the others, and counts in the
            score.

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
            check_count(name, getattr(self, name), "0 for none", least=0)
        if not isinstance(self.banned, Sequence | np.ndarray):
            raise UserError("banned", "a list of tokens", repr(self.banned), "write e.g. [1]")
        object.__setattr__(self, "prefix", _as_array(self.prefix))


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


def _as_array(prefix: Any) -> Any:
    shape = getattr(prefix, "shape", None)
    if prefix is None or (shape is not None and len(shape) == 2):
        return prefix
    try:
        return padded(prefix)
    except (TypeError, ValueError) as error:
        got = repr(prefix) if shape is None else str(tuple(shape))
        fix = "give each row its tokens"
        raise UserError("prefix", "(batch, prefix_time)", got, fix) from error


def _check(constraints: Constraints, batch: int | None, max_length: int, vocab: int) -> None:
    if constraints.min_length > max_length:
        expected = f"at most max_length, {max_length}"
        raise UserError("min_length", expected, str(constraints.min_length), "lower it")
    check_tokens("banned", constraints.banned, vocab)
    if constraints.prefix is None:
        return
    check_tokens("prefix", constraints.prefix, vocab)
    rows, time = constraints.prefix.shape
    if time > max_length:
        expected = f"at most max_length, {max_length}, tokens"
        raise UserError("prefix", expected, str(time), "raise max_length")
    if None not in (rows, batch) and rows != batch:
        raise UserError("prefix", f"{batch} rows, as the batch has", str(rows), "give one for each")
