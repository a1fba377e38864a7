"""What a beam search must say: phrases that every sequence has to contain."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from rnnpipe.decoding.selection import NEVER, add_up, likely_tokens
from rnnpipe.decoding.step import check_tokens
from rnnpipe.decoding.structures import padded
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import PAD


class Required:
    """Selects so that every sequence that ends contains all the phrases of its row.

    Beams are put in banks by how many tokens of the phrases they have said. The banks take turns in
    choosing, so that beams which have said much do not lose to likelier ones that have said little.
    What continues a beam are its likeliest tokens and the next ones of all the phrases it lacks.

    Args:
        required: `(batch, phrases, phrase_time)`, filled with PAD, or nested lists.
        shape: `(rows, vocab)` of the log-probabilities; rows may be None.
        max_length: the greatest length.
        limits: that of each row, `(batch,)`, or the same for all.
        end: the end token.
        copies: how many rows each row of the batch was tiled to.

    Source: Post and Vilar, Fast Lexically Constrained Decoding with Dynamic Beam Allocation for
    Neural Machine Translation, 2018, section 3.
    """

    def __init__(
        self, required: Any, shape: Any, *, max_length: int, limits: Any, end: int, copies: int
    ) -> None:
        phrases = _as_array(required) if isinstance(required, Sequence) else required
        rows, vocab = shape
        _check(phrases, None if rows is None else rows // copies, vocab, end, max_length)
        self.phrases = ops.cast(phrases, "int32")
        self.limits, self.end = ops.reshape(limits, (-1, 1, 1)), end
        self.counts = ops.not_equal(self.phrases, PAD)
        self.lengths = ops.sum(ops.cast(self.counts, "int32"), axis=-1)  # (batch, phrases)
        _, phrases_a_row, self.time = phrases.shape
        self.greatest = phrases_a_row * self.time

    def __call__(self, before: Any, log_probs: Any, ids: Any, t: Any) -> tuple[Any, Any, Any]:
        """See `Select`."""
        width = log_probs.shape[1]
        said, begun = self._said(ids), self._begun(ids, t)
        totals, tokens = self._continue(before, log_probs, said, begun)
        missing, banks = self._count(tokens, said, begun)
        left = ops.where(tokens == self.end, 0, self.limits - 1 - t)
        totals = ops.where(missing > left, NEVER, totals)
        choices = tokens.shape[2]
        totals, tokens, banks = (
            ops.reshape(part, (-1, width * choices)) for part in (totals, tokens, banks)
        )
        chosen = self._take_turns(totals, banks, width)
        totals, tokens = (ops.take_along_axis(part, chosen, axis=1) for part in (totals, tokens))
        return totals, chosen // choices, ops.maximum(tokens, 0)

    def _said(self, ids: Any) -> Any:
        """Whether each phrase is somewhere in the ids: `(batch, width, phrases)`."""
        time = ids.shape[-1]
        ids = ops.pad(ids, [[0, 0], [0, 0], [0, self.time]], constant_values=PAD)
        here: Any = True  # (batch, width, phrases, time)
        for place in range(self.time):
            window = ids[:, :, None, place : place + time]
            # Not `==`, of which a graph of any batch does not know the shape.
            same = ops.equal(window, self.phrases[:, None, :, place, None])
            free = ops.logical_not(self.counts[:, None, :, place, None])
            here = ops.logical_and(here, ops.logical_or(same, free))
        return ops.any(here, axis=-1)

    def _begun(self, ids: Any, t: Any) -> Any:
        """`(batch, width, phrases, phrase_time)`: whether the last k ids are a phrase's first k."""
        ids = ops.pad(ids, [[0, 0], [0, 0], [self.time, 0]], constant_values=-1)
        columns, every_beam = [], ops.ones_like(ids[:, :, :1], dtype="bool")
        for k in range(self.time):
            same = ops.logical_and(every_beam, self.counts[:, None, :, k])
            for place in range(k):
                last = ops.take(ids, t + self.time - k + place, axis=2)[:, :, None]
                same = ops.logical_and(same, ops.equal(last, self.phrases[:, None, :, place]))
            columns.append(same)
        return ops.stack(columns, axis=-1)

    def _continue(self, before: Any, log_probs: Any, said: Any, begun: Any) -> tuple[Any, Any]:
        """Continuations of each beam, `(batch, width, choices)`: none twice, -1 for no token."""
        likely, tokens = likely_tokens(before, log_probs)
        at = ops.max(ops.where(begun, ops.arange(self.time, dtype="int32"), 0), axis=-1)
        here = ops.one_hot(at, self.time, dtype="int32")
        following = ops.sum(here * self.phrases[:, None], axis=-1)  # (batch, width, phrases)
        asked = add_up(before, ops.take_along_axis(log_probs, following, axis=2))
        asked = ops.where(said, NEVER, asked)
        following = ops.where(said, -1, following)
        totals = ops.concatenate([likely, asked], axis=2)
        tokens = ops.concatenate([tokens, following], axis=2)
        choices = tokens.shape[2]
        twice = ops.equal(tokens[..., :, None], tokens[..., None, :])
        twice = ops.logical_and(twice, np.tri(choices, k=-1, dtype="bool"))
        return ops.where(ops.any(twice, axis=-1), NEVER, totals), tokens

    def _count(self, tokens: Any, said: Any, begun: Any) -> tuple[Any, Any]:
        """How many tokens each continuation lacks at least, and how many it has said of phrases."""
        asked = ops.equal(self.phrases[:, None, None], tokens[..., None, None])
        grown = ops.logical_and(begun[:, :, None], asked)  # (batch, width, choices, phrases, time)
        reached = ops.where(grown, ops.arange(1, self.time + 1, dtype="int32"), 0)
        reached = ops.max(reached, axis=-1)
        lengths = self.lengths[:, None, None]
        said = ops.logical_or(said[:, :, None], ops.equal(reached, lengths))
        missing = ops.max(ops.where(said, 0, lengths - reached), axis=-1)
        whole = ops.sum(ops.where(said, lengths, 0), axis=-1)
        # Of the phrases begun only one counts: to go on with it never loses what was counted.
        return missing, whole + ops.max(ops.where(said, 0, reached), axis=-1)

    def _take_turns(self, totals: Any, banks: Any, width: int) -> Any:
        """The best of each bank from the fullest down, then the second of each, up to `width`."""
        totals, order = ops.top_k(totals, totals.shape[1])
        banks = ops.take_along_axis(banks, ops.cast(order, "int32"), axis=1)
        in_bank = ops.one_hot(banks, self.greatest + 1, dtype="int32")
        turn = ops.sum(in_bank * ops.cumsum(in_bank, axis=1), axis=-1)
        turn = turn * (self.greatest + 1) - banks
        last = (totals.shape[1] + 1) * (self.greatest + 1)
        _, first = ops.top_k(-ops.where(totals > NEVER, turn, last), width)
        return ops.cast(ops.take_along_axis(order, ops.cast(first, "int32"), axis=1), "int32")


def _as_array(required: Sequence[Any]) -> np.ndarray:
    """Nested lists as one array, with phrases of no tokens where a row has fewer."""
    try:
        most = max([1, *map(len, required)])
        rows = [[*phrases, *[()] * (most - len(phrases))] for phrases in required]
        flat = padded([phrase for phrases in rows for phrase in phrases])
    except (TypeError, ValueError) as error:
        raise _misshapen(repr(required)) from error
    return flat.reshape(len(rows), most, -1)


def _check(phrases: Any, batch: int | None, vocab: int, end: int, max_length: int) -> None:
    if len(phrases.shape) != 3 or 0 in phrases.shape or None in phrases.shape[1:]:
        raise _misshapen(str(tuple(phrases.shape)))
    rows, _, longest = phrases.shape
    if None not in (rows, batch) and rows != batch:
        fix = "give each row a list of phrases, an empty one where it is free"
        raise UserError("required", f"{batch} rows, as the batch has", str(rows), fix)
    if longest > max_length:
        expected = f"phrases of at most max_length, {max_length}, tokens"
        raise UserError("required", expected, str(longest), "raise max_length")
    check_tokens("required", phrases, vocab)
    if isinstance(phrases, np.ndarray) and end in phrases:
        fix = "leave it out: every sequence may end"
        raise UserError("required", "phrases without the end token", str(end), fix)


def _misshapen(got: str) -> UserError:
    fix = "write e.g. [[[5, 6], [7]], []] for two rows, the second free"
    return UserError("required", "(batch, phrases, phrase_time)", got, fix)
