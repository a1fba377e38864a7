"""The hypotheses of a beam search, alive and finished."""

import copy
import math
from typing import Any, NamedTuple

from rnnpipe import ops
from rnnpipe.decoding.constraints import Rules
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.nested import allocate, flat_rows, gather_beams, mask_after, write
from rnnpipe.decoding.penalties import CoveragePenalty, LengthPenalty
from rnnpipe.decoding.selection import NEG_INF, Selection
from rnnpipe.decoding.step import StepOutputs
from rnnpipe.errors import UserError
from rnnpipe.nested import select_rows
from rnnpipe.text.tokens import PAD
from rnnpipe.types import Nested, Tensor


class Trace(NamedTuple):
    """The tokens of sequences, and backpointers: the beam in which each token was chosen."""

    ids: Tensor  # (batch, width, time)
    parents: Tensor  # (batch, width, time)


class Finished(NamedTuple):
    """The best sequences that have ended, the best first."""

    scores: Tensor  # (batch, n_best)
    lengths: Tensor  # (batch, n_best)
    trace: Trace  # (batch, n_best, time)


class Beams(NamedTuple):
    """The carry of a search; where there are groups, each is a row."""

    tokens: Tensor  # (batch, width)
    log_probs: Tensor  # (batch, width), -inf for a dead beam
    trace: Trace
    coverage: Tensor  # (batch, width, positions), or an empty tuple
    state: Nested[Tensor]  # (batch * width, ...)
    finished: Finished
    alignments: Nested[Tensor]  # (time, batch * width, ...), in the order of the beams at each time


class BeamSearch:
    """One step of all beams; see `beam_search` for the other arguments.

    Args:
        width: of each group.
        n_best: of each group.
        groups: how many groups a row of the batch has.
        limits: the maximum length of each row of the batch, `(batch,)`, or the same for all.
        rules: which tokens are forbidden.
        selection: which continuations are kept.
    """

    def __init__(
        self,
        *,
        width: int,
        n_best: int,
        groups: int,
        max_length: int,
        limits: Any,
        end: int,
        rules: Rules,
        selection: Selection,
        length_penalty: LengthPenalty | None,
        coverage_penalty: CoveragePenalty | None,
    ) -> None:
        self.width, self.n_best, self.groups = width, n_best, groups
        self.max_length, self.end = max_length, end
        self.limited_by_row = not isinstance(limits, int)
        limits = ops.repeat(limits, groups) if self.limited_by_row else limits
        self.limits = ops.reshape(ops.cast(limits, "int32"), (-1, 1))  # (batch, 1), or (1, 1)
        self.rules, self.selection = rules, selection
        self.length_penalty = length_penalty or ops.ones_like
        self.coverage_penalty = coverage_penalty

    def first_beams(self, tokens: Tensor, first: StepOutputs) -> Beams:
        """One empty sequence alive in each row."""
        tokens = ops.reshape(tokens, (-1, self.width))
        zeros = ops.zeros_like(tokens)
        is_first = ops.arange(self.width, dtype="int32") > zeros
        no_scores, no_lengths = ops.cast(zeros, "float32"), zeros[:, : self.n_best]
        return Beams(
            tokens=tokens,
            log_probs=ops.where(is_first, NEG_INF, no_scores),
            trace=self._empty_trace(zeros),
            coverage=ops.zeros_like(self._positions(first)) if self.coverage_penalty else (),
            state=first.state,
            finished=Finished(
                no_scores[:, : self.n_best] + NEG_INF, no_lengths, self._empty_trace(no_lengths)
            ),
            alignments=allocate(first.alignments, self.max_length),
        )

    def active(self, beams: Beams) -> Tensor:
        """Which rows have a beam alive, `(batch,)`."""
        return ops.any(beams.log_probs > NEG_INF, axis=1)

    def advance(self, t: Tensor, beams: Beams, outputs: StepOutputs) -> Beams:
        """Extends each beam by a token and keeps the best."""
        scores, parents, tokens = self._select(t, beams, outputs.log_probs)
        trace = self._extend(t, gather_beams(beams.trace, parents), tokens, parents)
        coverage: Any = ()
        if self.coverage_penalty:
            coverage = gather_beams(beams.coverage + self._positions(outputs), parents)
        ends = ops.logical_or(tokens == self.end, ops.less_equal(self.limits, t + 1))
        ended = ops.where(ends, scores, NEG_INF)
        finished = self._merge(t, beams.finished, ended, trace, coverage)
        finished = self._mark_nan(finished, beams, outputs.log_probs)
        alive = ops.where(ends, NEG_INF, scores)
        can_win = self._bound(t, alive) > finished.scores[:, -1:]
        rows = ops.reshape(flat_rows(parents, self.width), (-1,))
        return Beams(
            tokens=tokens,
            log_probs=ops.where(can_win, alive, NEG_INF),
            trace=trace,
            coverage=coverage,
            state=select_rows(outputs.state, rows),
            finished=finished,
            alignments=write(beams.alignments, t, outputs.alignments),
        )

    def select_rows(self, rows: Tensor) -> "BeamSearch":
        """The same search for some rows of the batch, if all its parts can be compacted."""
        search = copy.copy(self)
        search.rules = self.rules.select_rows(self.beam_rows(rows))
        if self.limited_by_row:
            search.limits = ops.take(self.limits, rows, axis=0)
        return search

    def select_beams(self, beams: Beams, rows: Tensor) -> Beams:
        """The beams of some rows of the batch."""
        beam_rows = self.beam_rows(rows)
        rest: Beams = select_rows(beams._replace(state=(), alignments=()), rows)
        return rest._replace(
            state=select_rows(beams.state, beam_rows),
            alignments=select_rows(beams.alignments, beam_rows, axis=1),
        )

    def beam_rows(self, rows: Tensor) -> Tensor:
        """The rows of `(batch * width, ...)` that belong to rows of the batch."""
        within = ops.arange(self.width, dtype="int32")
        return ops.reshape(rows[:, None] * self.width + within, (-1,))

    def finish(self, beams: Beams) -> Decoded:
        """The finished sequences, with their alignments along the backpointers."""
        scores, lengths, trace = beams.finished
        lengths = ops.where(scores > NEG_INF, lengths, 0)
        batch, n_best, time = ops.shape(trace.parents)
        times = ops.arange(time, dtype="int32")

        def align(buffer: Tensor) -> Tensor:
            _, rows, *rest = ops.shape(buffer)
            parents = ops.reshape(trace.parents, (batch, n_best * time))
            parents = ops.reshape(flat_rows(parents, self.width), (batch, n_best, time))
            flat = ops.reshape(buffer, (-1, *rest))
            return mask_after(lengths, ops.take(flat, parents + times * rows, axis=0))

        alignments = ops.tree.map_structure(align, beams.alignments)
        decoded = Decoded(mask_after(lengths, trace.ids, PAD), lengths, scores, alignments)
        return decoded if self.groups == 1 else self._merge_groups(decoded)

    def _merge_groups(self, decoded: Decoded) -> Decoded:
        """The sequences of all groups of each row, the best first."""
        n_best = self.groups * self.n_best

        def per_batch(part: Tensor) -> Tensor:
            return ops.reshape(part, (-1, n_best, *ops.shape(part)[2:]))

        decoded = ops.tree.map_structure(per_batch, decoded)
        _, order = ops.top_k(decoded.scores, n_best)
        merged: Decoded = gather_beams(decoded, ops.cast(order, "int32"))
        return merged

    def _empty_trace(self, rows: Tensor) -> Trace:
        empty = ops.repeat(rows[:, :, None], self.max_length, axis=2)
        return Trace(empty, empty)

    def _select(self, t: Tensor, beams: Beams, log_probs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The continuations that are kept: scores, the beams they continue, their tokens."""
        vocab = log_probs.shape[-1]
        ids = ops.reshape(beams.trace.ids, (-1, self.max_length))
        log_probs = ops.reshape(self.rules(log_probs, ids, t), (-1, self.width, vocab))
        return self.selection(beams.log_probs, log_probs, beams.trace.ids, t)

    def _extend(self, t: Tensor, trace: Trace, tokens: Tensor, parents: Tensor) -> Trace:
        here = ops.arange(self.max_length, dtype="int32") == t
        return Trace(
            ids=ops.where(here, tokens[:, :, None], trace.ids),
            parents=ops.where(here, parents[:, :, None], trace.parents),
        )

    def _merge(
        self, t: Tensor, finished: Finished, log_probs: Tensor, trace: Trace, coverage: Tensor
    ) -> Finished:
        """The best of the finished sequences and those that end now, with finite `log_probs`."""
        lengths = ops.full_like(log_probs, t + 1, dtype="float32")
        scores = log_probs / self.length_penalty(lengths)
        if self.coverage_penalty:
            whole = ops.reshape(coverage, (-1, self.groups * self.width, ops.shape(coverage)[-1]))
            scores = scores + ops.reshape(self.coverage_penalty(whole), (-1, self.width))
        new = Finished(scores, ops.cast(lengths, "int32"), trace)
        both = ops.tree.map_structure(lambda a, b: ops.concatenate([a, b], axis=1), finished, new)
        scores, best = ops.top_k(both.scores, self.n_best)
        merged: Finished = gather_beams(both._replace(scores=()), ops.cast(best, "int32"))
        return merged._replace(scores=scores)

    def _mark_nan(self, finished: Finished, beams: Beams, log_probs: Tensor) -> Finished:
        """Scores of NaN, which end a row, where a beam that is alive has NaN for its next token."""
        # The log-probabilities of a softmax are NaN for all tokens or for none.
        is_nan = ops.isnan(ops.reshape(log_probs[:, 0], (-1, self.width)))
        broken = ops.any(ops.logical_and(is_nan, beams.log_probs > NEG_INF), axis=1, keepdims=True)
        broken = ops.logical_or(broken, ops.isnan(beams.finished.scores[:, :1]))
        return finished._replace(scores=ops.where(broken, math.nan, finished.scores))

    def _bound(self, t: Tensor, log_probs: Tensor) -> Tensor:
        """The highest score a beam can reach: with certain tokens only, ended soon or late."""
        soon = ops.full_like(log_probs, t + 2, dtype="float32")
        late = ops.broadcast_to(ops.cast(self.limits, "float32"), ops.shape(log_probs))
        return ops.maximum(
            log_probs / self.length_penalty(soon), log_probs / self.length_penalty(late)
        )

    def _positions(self, outputs: StepOutputs) -> Tensor:
        """A step's alignments as `(batch, width, positions)`."""
        shape = getattr(outputs.alignments, "shape", None)
        if shape is None or len(shape) < 2:
            raise UserError(
                "coverage_penalty",
                "a step that returns alignments (batch, positions)",
                "none" if shape is None else str(tuple(shape)),
                "return (logits, state, alignments)",
            )
        positions = math.prod(ops.shape(outputs.alignments)[1:])
        flat = ops.reshape(outputs.alignments, (-1, self.width, positions))
        return ops.cast(flat, "float32")
