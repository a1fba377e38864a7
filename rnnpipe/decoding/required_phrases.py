"""Lexically constrained beam search: phrases that every sequence must contain."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnpipe import ops
from rnnpipe.decoding.checks import check_tokens
from rnnpipe.decoding.nested import pad_rows
from rnnpipe.decoding.selection import NEG_INF, extend_scores, top_tokens
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import PAD
from rnnpipe.types import Tensor
from rnnpipe.values import known_values


class RequiredPhrases:
    """A `Selection` in which every sequence that ends contains all the phrases of its row.

    Beams are put in banks by how many tokens of the phrases they contain. The banks choose in
    turns, so that beams which cover much do not lose to likelier ones that cover little. The
    candidates of a beam are its most likely tokens and the next tokens of all phrases it lacks.

    Args:
        phrases: `(batch, phrases, phrase_time)`, padded with PAD, or nested lists.
        shape: `(rows, vocab)` of the log-probabilities; rows may be None.
        max_length: the maximum length.
        limits: that of each row, `(batch,)`, or the same for all.
        end: the end token.
        repeats: how often each row of the batch is repeated.

    Source: Post and Vilar, Fast Lexically Constrained Decoding with Dynamic Beam Allocation for
    Neural Machine Translation, 2018, section 3.
    """

    def __init__(
        self,
        phrases: Any,
        shape: tuple[int | None, int],
        *,
        max_length: int,
        limits: Any,
        end: int,
        repeats: int,
    ) -> None:
        phrases = _as_array(phrases) if isinstance(phrases, Sequence) else phrases
        rows, vocab = shape
        _check(phrases, None if rows is None else rows // repeats, vocab, end, max_length)
        self.phrases = ops.cast(phrases, "int32")
        self.limits, self.end = ops.reshape(limits, (-1, 1, 1)), end
        self.mask = ops.not_equal(self.phrases, PAD)
        self.lengths = ops.sum(ops.cast(self.mask, "int32"), axis=-1)  # (batch, phrases)
        _, phrases_per_row, self.time = phrases.shape
        self.max_bank = phrases_per_row * self.time

    def __call__(
        self, scores: Tensor, log_probs: Tensor, ids: Tensor, t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See `Selection`."""
        width = log_probs.shape[1]
        covered, matched = self._covered(ids), self._matched_prefixes(ids, t)
        scores, tokens = self._candidates(scores, log_probs, covered, matched)
        missing, banks = self._progress(tokens, covered, matched)
        left = ops.where(tokens == self.end, 0, self.limits - 1 - t)
        scores = ops.where(missing > left, NEG_INF, scores)
        choices = tokens.shape[2]
        scores, tokens, banks = (
            ops.reshape(part, (-1, width * choices)) for part in (scores, tokens, banks)
        )
        chosen = self._choose_in_turns(scores, banks, width)
        scores, tokens = (ops.take_along_axis(part, chosen, axis=1) for part in (scores, tokens))
        return scores, chosen // choices, ops.maximum(tokens, 0)

    def _covered(self, ids: Tensor) -> Tensor:
        """Whether the ids contain each phrase: `(batch, width, phrases)`."""
        time = ids.shape[-1]
        ids = ops.pad(ids, [[0, 0], [0, 0], [0, self.time]], constant_values=PAD)
        matches: Any = True  # (batch, width, phrases, time)
        for place in range(self.time):
            window = ids[:, :, None, place : place + time]
            # Not `==`, which loses the shape in a graph of any batch.
            same = ops.equal(window, self.phrases[:, None, :, place, None])
            padding = ops.logical_not(self.mask[:, None, :, place, None])
            matches = ops.logical_and(matches, ops.logical_or(same, padding))
        return ops.any(matches, axis=-1)

    def _matched_prefixes(self, ids: Tensor, t: Tensor) -> Tensor:
        """`(batch, width, phrases, phrase_time)`: whether the last k ids begin a phrase."""
        ids = ops.pad(ids, [[0, 0], [0, 0], [self.time, 0]], constant_values=-1)
        columns, every_beam = [], ops.ones_like(ids[:, :, :1], dtype="bool")
        for k in range(self.time):
            same = ops.logical_and(every_beam, self.mask[:, None, :, k])
            for place in range(k):
                last = ops.take(ids, t + self.time - k + place, axis=2)[:, :, None]
                same = ops.logical_and(same, ops.equal(last, self.phrases[:, None, :, place]))
            columns.append(same)
        return ops.stack(columns, axis=-1)

    def _candidates(
        self, scores: Tensor, log_probs: Tensor, covered: Tensor, matched: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Continuations of each beam, `(batch, width, choices)`: none twice, -1 for no token."""
        top_scores, tokens = top_tokens(scores, log_probs)
        matched_tokens = ops.where(matched, ops.arange(self.time, dtype="int32"), 0)
        position = ops.max(matched_tokens, axis=-1, initial=0)
        here = ops.one_hot(position, self.time, dtype="int32")
        following = ops.sum(here * self.phrases[:, None], axis=-1)  # (batch, width, phrases)
        phrase_scores = extend_scores(scores, ops.take_along_axis(log_probs, following, axis=2))
        phrase_scores = ops.where(covered, NEG_INF, phrase_scores)
        following = ops.where(covered, -1, following)
        scores = ops.concatenate([top_scores, phrase_scores], axis=2)
        tokens = ops.concatenate([tokens, following], axis=2)
        choices = tokens.shape[2]
        duplicate = ops.equal(tokens[..., :, None], tokens[..., None, :])
        duplicate = ops.logical_and(duplicate, np.tri(choices, k=-1, dtype="bool"))
        return ops.where(ops.any(duplicate, axis=-1), NEG_INF, scores), tokens

    def _progress(self, tokens: Tensor, covered: Tensor, matched: Tensor) -> tuple[Tensor, Tensor]:
        """The least number of tokens each continuation lacks, and how many it covers: its bank."""
        is_next = ops.equal(self.phrases[:, None, None], tokens[..., None, None])
        grown = ops.logical_and(matched[:, :, None], is_next)  # (…, choices, phrases, time)
        reached = ops.where(grown, ops.arange(1, self.time + 1, dtype="int32"), 0)
        reached = ops.max(reached, axis=-1, initial=0)
        lengths = self.lengths[:, None, None]
        covered = ops.logical_or(covered[:, :, None], ops.equal(reached, lengths))
        missing = ops.max(ops.where(covered, 0, lengths - reached), axis=-1, initial=0)
        whole = ops.sum(ops.where(covered, lengths, 0), axis=-1)
        # Only one of the phrases begun counts: to go on with it never loses what was counted.
        return missing, whole + ops.max(ops.where(covered, 0, reached), axis=-1, initial=0)

    def _choose_in_turns(self, scores: Tensor, banks: Tensor, width: int) -> Tensor:
        """The best of each bank from the fullest down, then the second of each, up to `width`."""
        scores, order = ops.top_k(scores, scores.shape[1])
        banks = ops.take_along_axis(banks, ops.cast(order, "int32"), axis=1)
        in_bank = ops.one_hot(banks, self.max_bank + 1, dtype="int32")
        turn = ops.sum(in_bank * ops.cumsum(in_bank, axis=1), axis=-1)
        turn = turn * (self.max_bank + 1) - banks
        last = (scores.shape[1] + 1) * (self.max_bank + 1)
        _, first = ops.top_k(-ops.where(scores > NEG_INF, turn, last), width)
        return ops.cast(ops.take_along_axis(order, ops.cast(first, "int32"), axis=1), "int32")


def _as_array(phrases: Sequence[Any]) -> np.ndarray:
    """Nested lists as one array, with phrases of no tokens where a row has fewer."""
    try:
        most = max([1, *map(len, phrases)])
        rows = [[*row, *[()] * (most - len(row))] for row in phrases]
        flat = pad_rows([phrase for row in rows for phrase in row])
        given = sum(len(phrase) for row in phrases for phrase in row)
    except (TypeError, ValueError) as error:
        raise _shape_error(repr(phrases)) from error
    if given != np.count_nonzero(flat != PAD):  # lists need no padding
        fix = "leave it out: no sequence can contain it"
        raise UserError("required_phrases", f"phrases without PAD ({PAD})", repr(phrases), fix)
    return flat.reshape(len(rows), most, flat.shape[1])


def _check(phrases: Any, batch: int | None, vocab: int, end: int, max_length: int) -> None:
    if len(phrases.shape) != 3 or 0 in phrases.shape[1:] or None in phrases.shape[1:]:
        raise _shape_error(str(tuple(phrases.shape)))
    rows, _, time = phrases.shape
    if None not in (rows, batch) and rows != batch:
        fix = "pass a list of phrases for each row, an empty one for none"
        raise UserError("required_phrases", f"{batch} rows, as the batch has", str(rows), fix)
    if time > max_length:
        expected = f"phrases of at most max_length, {max_length}, tokens"
        raise UserError("required_phrases", expected, str(time), "raise max_length")
    check_tokens("required_phrases", phrases, vocab)
    values = known_values(phrases)
    if values is None:
        return
    if end in values:
        fix = "omit it: every sequence may end"
        raise UserError("required_phrases", "phrases without the end token", str(end), fix)
    if np.any((values[..., :-1] == PAD) & (values[..., 1:] != PAD)):
        expected = f"phrases with PAD ({PAD}) at their ends only"
        raise UserError("required_phrases", expected, "one with PAD inside", "leave it out")


def _shape_error(got: str) -> UserError:
    fix = "write e.g. [[[5, 6], [7]], []] for two rows, the second without phrases"
    return UserError("required_phrases", "(batch, phrases, phrase_time)", got, fix)
