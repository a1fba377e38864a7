"""Constraints on decoded sequences, the same for all strategies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

import numpy as np

from rnnpipe import ops
from rnnpipe.decoding.checks import check_count, check_tokens
from rnnpipe.decoding.nested import pad_rows
from rnnpipe.errors import UserError
from rnnpipe.nested import repeat_rows
from rnnpipe.text.tokens import PAD
from rnnpipe.types import Tensor
from rnnpipe.values import known_values


class Constraint(Protocol):
    """Forbids tokens at each step of a search.

    It is a function of tensors of fixed shapes, which may become part of a graph. One that has a
    method `select_rows(rows)`, which returns the same constraint for these rows alone, does not
    keep a search from compacting its batch; see `Step`.
    """

    def __call__(self, log_probs: Tensor, ids: Tensor, t: Tensor) -> Tensor:
        """Sets the log-probabilities of forbidden tokens to -inf.

        Args:
            log_probs: `(rows, vocab)`. In a beam search there are `batch * beam_width` rows, each
                row's beams one after another; in sampling `batch * samples`.
            ids: `(rows, time)`, of which the first `t` are chosen.
            t: how many tokens are chosen.

        Returns:
            `(rows, vocab)`, unchanged where a token is allowed.
        """


@dataclass(frozen=True, eq=False)
class Constraints:
    """The usual constraints on decoded sequences.

    A forbidden token is never chosen; the others keep their log-probabilities, so that scores
    remain those of the model. Where no token is allowed, the sequence ends.

    Args:
        min_length: the minimum length, the end token included, as in `Decoded.lengths`.
        banned_tokens: tokens that are never chosen; if the end token is one of them, every sequence
            has its maximum length.
        no_repeat_ngram: n, if no n tokens may occur twice in a sequence (Paulus et al. 2017,
            section 2.5); 0 allows all.
        prefix: `(batch, prefix_time)` int, or a list of tokens for each row: the first tokens of
            the sequences, with PAD where a row is free. It takes precedence over all other
            constraints, and is part of the score.

    Raises:
        UserError: if a number is out of range.

    Example:
        >>> Constraints(min_length=3, banned_tokens=[1], no_repeat_ngram=3).min_length
        3
    """

    min_length: int = 0
    banned_tokens: Sequence[int] = ()
    no_repeat_ngram: int = 0
    prefix: Any = None

    def __post_init__(self) -> None:
        for name in ("min_length", "no_repeat_ngram"):
            check_count(name, getattr(self, name), "0 for none", minimum=0)
        banned: Any = self.banned_tokens
        if not isinstance(banned, Sequence | np.ndarray):
            got = repr(banned)
            raise UserError("banned_tokens", "a list of tokens", got, "write e.g. [1]")
        object.__setattr__(self, "prefix", _as_array(self.prefix))


AnyConstraints: TypeAlias = Constraints | Constraint | Sequence[Constraints | Constraint] | None
"""`Constraints`, functions of one's own, or a list of both."""


class Rules:
    """Constraints bound to a vocabulary and a batch: a `Constraint` itself.

    Args:
        constraints: those of the caller.
        shape: `(rows, vocab)` of the log-probabilities; rows may be None.
        max_length: the maximum length.
        end: the end token.
        repeats: how often each row of the batch is repeated.

    Raises:
        UserError: if a constraint does not fit, or is none.
    """

    def __init__(
        self,
        constraints: AnyConstraints,
        shape: tuple[int | None, int],
        *,
        max_length: int,
        end: int,
        repeats: int = 1,
    ) -> None:
        rows, vocab = shape
        usual, self.own = _split(constraints)
        _check(usual, None if rows is None else rows // repeats, max_length, vocab, end)
        self.min_length, self.ngram = usual.min_length, usual.no_repeat_ngram
        self.vocab, self.tokens = vocab, ops.arange(vocab, dtype="int32")[None]
        self.is_end = self.tokens == end
        # No sequence has an n-gram longer than itself.
        self.blocks_ngrams = 0 < self.ngram <= max_length
        not_banned = np.ones((1, vocab), "bool")
        not_banned[:, list(usual.banned_tokens)] = False
        self.not_banned = not_banned
        bans = len(usual.banned_tokens) > 0  # no truth value: it may be an array
        self.restricts = bool(self.blocks_ngrams or bans or self.min_length > 1 or self.own)
        self.prefix = None
        if usual.prefix is not None and usual.prefix.shape[1]:
            self.prefix = repeat_rows(ops.cast(usual.prefix, "int32"), repeats)

    @property
    def can_compact(self) -> bool:
        """Whether `select_rows` restricts all constraints."""
        selectable = (callable(getattr(own, "select_rows", None)) for own in self.own)
        return self.prefix is None and all(selectable)

    def select_rows(self, rows: Tensor) -> "Rules":
        """The constraints of these rows alone, if they can be compacted."""
        rules = object.__new__(Rules)
        rules.__dict__.update(self.__dict__)
        own: tuple[Any, ...] = self.own
        rules.own = tuple(constraint.select_rows(rows) for constraint in own)
        return rules

    def __call__(self, log_probs: Tensor, ids: Tensor, t: Tensor) -> Tensor:
        """Log-probabilities with -inf where a token is forbidden; see `Constraint`."""
        constrained = log_probs
        if self.restricts:
            constrained = ops.where(self._allowed(log_probs, ids, t), log_probs, -np.inf)
        if self.prefix is not None:
            time = self.prefix.shape[1]
            tokens = ops.take(self.prefix, ops.minimum(t, time - 1), axis=1)[:, None]
            forced = ops.logical_and(tokens != PAD, t < time)
            prefix_only = ops.where(self.tokens == tokens, log_probs, -np.inf)
            constrained = ops.where(forced, prefix_only, constrained)
        return constrained

    def _allowed(self, log_probs: Tensor, ids: Tensor, t: Tensor) -> Tensor:
        too_short = ops.logical_and(self.is_end, t + 1 < self.min_length)
        allowed = ops.logical_and(self.not_banned, ops.logical_not(too_short))
        if self.blocks_ngrams:
            allowed = ops.logical_and(allowed, ops.logical_not(self._repeats(ids, t)))
        for constraint in self.own:
            allowed = ops.logical_and(allowed, _apply(constraint, log_probs, ids, t) > -np.inf)
        stuck = ops.logical_not(ops.any(allowed, axis=-1, keepdims=True))
        return ops.logical_or(allowed, ops.logical_and(stuck, self.is_end))

    def _repeats(self, ids: Tensor, t: Tensor) -> Tensor:
        """`(rows, vocab)`: tokens that would complete an n-gram of the sequence again."""
        rows, time = ops.shape(ids)
        context = self.ngram - 1
        starts = time - context
        # Where the n - 1 tokens from a start on are the last ones, the next must not follow again.
        same = ops.broadcast_to(ops.arange(starts, dtype="int32") + context < t, (rows, starts))
        for offset in range(context):
            last = ops.take(ids, ops.maximum(t - context + offset, 0), axis=1)
            same = ops.logical_and(same, ids[:, offset : offset + starts] == last[:, None])
        row = ops.broadcast_to(ops.arange(rows, dtype="int32")[:, None], (rows, starts))
        cells = ops.stack([ops.reshape(row, (-1,)), ops.reshape(ids[:, context:], (-1,))], axis=1)
        counts = ops.scatter(cells, ops.cast(ops.reshape(same, (-1,)), "int32"), (rows, self.vocab))
        return counts > 0


def _split(constraints: AnyConstraints) -> tuple[Constraints, tuple[Constraint, ...]]:
    """The usual constraints, and those of the caller's own."""
    if constraints is None:
        return Constraints(), ()
    is_list = isinstance(constraints, list | tuple)
    items: list[Any] = list(cast(Any, constraints)) if is_list else [constraints]
    usual = [constraint for constraint in items if isinstance(constraint, Constraints)]
    own = tuple(constraint for constraint in items if not isinstance(constraint, Constraints))
    for constraint in own:
        if not callable(constraint):
            expected = "Constraints, or functions constraint(log_probs, ids, t)"
            fix = "pass e.g. Constraints(min_length=3)"
            raise UserError("constraints", expected, repr(constraint), fix)
    if len(usual) > 1:
        fix = "write them as one"
        raise UserError("constraints", "one Constraints at most", str(len(usual)), fix)
    return (usual[0] if usual else Constraints()), own


def _apply(constraint: Constraint, log_probs: Tensor, ids: Tensor, t: Tensor) -> Tensor:
    constrained = ops.convert_to_tensor(constraint(log_probs, ids, t))
    if tuple(constrained.shape) != tuple(log_probs.shape):
        expected = f"log-probabilities of shape {tuple(log_probs.shape)} from a constraint"
        fix = "return log_probs with -inf where a token is forbidden"
        raise UserError("constraints", expected, str(tuple(constrained.shape)), fix)
    return constrained


def _as_array(prefix: Any) -> Any:
    shape = getattr(prefix, "shape", None)
    if prefix is None or (shape is not None and len(shape) == 2):
        return prefix
    try:
        return pad_rows(prefix)
    except (TypeError, ValueError) as error:
        got = repr(prefix) if shape is None else str(tuple(shape))
        fix = "pass a list of tokens for each row"
        raise UserError("prefix", "(batch, prefix_time)", got, fix) from error


def _check(
    constraints: Constraints, batch: int | None, max_length: int, vocab: int, end: int
) -> None:
    if constraints.min_length > max_length:
        expected = f"at most max_length, {max_length}"
        raise UserError("min_length", expected, str(constraints.min_length), "lower it")
    check_tokens("banned_tokens", constraints.banned_tokens, vocab)
    if constraints.prefix is None:
        return
    check_tokens("prefix", constraints.prefix, vocab)
    rows, time = constraints.prefix.shape
    if time > max_length:
        expected = f"at most max_length, {max_length}, tokens"
        raise UserError("prefix", expected, str(time), "raise max_length")
    if None not in (rows, batch) and rows != batch:
        fix = "pass one for each row"
        raise UserError("prefix", f"{batch} rows, as the batch has", str(rows), fix)
    values = known_values(constraints.prefix)
    if values is not None and np.any((values[:, :-1] == end) & (values[:, 1:] != PAD)):
        expected, got = f"no token after the end token ({end})", "some"
        raise UserError("prefix", expected, got, "end the prefix there: the sequence ends")
