"""The beams of a search, and what has ended."""

import copy
import math
from typing import Any, NamedTuple

from keras import ops, tree

from rnnpipe.decoding.constraints import Rules
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.penalties import CoveragePenalty, LengthPenalty
from rnnpipe.decoding.selection import NEVER, Select
from rnnpipe.decoding.step import Outputs
from rnnpipe.decoding.structures import (
    allocate,
    blank_after,
    gather,
    gather_rows,
    rows_of,
    write,
)
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import PAD


class Trace(NamedTuple):
    """How sequences came about: their tokens, and the beam in which each was chosen."""

    ids: Any  # (batch, width, time)
    places: Any  # (batch, width, time)


class Ended(NamedTuple):
    """The best sequences that have ended, the best first."""

    scores: Any  # (batch, n_best)
    lengths: Any  # (batch, n_best)
    trace: Trace  # (batch, n_best, time)


class Beams(NamedTuple):
    """All that a search carries from step to step; where there are groups, each is a row."""

    tokens: Any  # (batch, width)
    log_probs: Any  # (batch, width), -inf in a beam that is given up
    trace: Trace
    coverage: Any  # (batch, width, positions), or nothing
    state: Any  # (batch * width, ...)
    ended: Ended
    alignments: Any  # (time, batch * width, ...), as the beams stood at each time


class Search:
    """What one step does to the beams; see `beam_search` for the other arguments.

    Args:
        width: of each group.
        n_best: of each group.
        groups: how many groups a row of the batch has.
        limits: the greatest length of each row of the batch, `(batch,)`, or the same for all.
        rules: which tokens are forbidden.
        select: which continuations are kept.
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
        select: Select,
        length_penalty: LengthPenalty | None,
        coverage_penalty: CoveragePenalty | None,
    ) -> None:
        self.width, self.n_best, self.groups = width, n_best, groups
        self.max_length, self.end = max_length, end
        self.limited_by_row = not isinstance(limits, int)
        limits = ops.repeat(limits, groups) if self.limited_by_row else limits
        self.limits = ops.reshape(ops.cast(limits, "int32"), (-1, 1))  # (batch, 1), or (1, 1)
        self.rules, self.select = rules, select
        self.length_penalty = length_penalty or ops.ones_like
        self.coverage_penalty = coverage_penalty

    def begin(self, tokens: Any, first: Outputs) -> Beams:
        """One living beam a row, nothing chosen, nothing ended."""
        tokens = ops.reshape(tokens, (-1, self.width))
        nothing = ops.zeros_like(tokens)
        only_first = ops.arange(self.width, dtype="int32") > nothing
        alive = ops.where(only_first, NEVER, ops.cast(nothing, "float32"))
        blank = nothing[:, : self.n_best]
        return Beams(
            tokens=tokens,
            log_probs=alive,
            trace=self._empty_trace(nothing),
            coverage=ops.zeros_like(self._positions(first)) if self.coverage_penalty else (),
            state=first.state,
            ended=Ended(ops.cast(blank, "float32") + NEVER, blank, self._empty_trace(blank)),
            alignments=allocate(first.alignments, self.max_length),
        )

    def advance(self, t: Any, beams: Beams, outputs: Outputs) -> Beams:
        """Grows each beam by a token and keeps the best."""
        totals, parents, tokens = self._expand(t, beams, outputs.log_probs)
        trace = self._extend(t, gather(beams.trace, parents), tokens, parents)
        coverage: Any = ()
        if self.coverage_penalty:
            coverage = gather(beams.coverage + self._positions(outputs), parents)
        ends = ops.logical_or(tokens == self.end, ops.less_equal(self.limits, t + 1))
        ended = self._keep(t, beams.ended, ops.where(ends, totals, NEVER), trace, coverage)
        alive = ops.where(ends, NEVER, totals)
        hopeful = self._bound(t, alive) > ended.scores[:, -1:]
        rows = ops.reshape(rows_of(parents, self.width), (-1,))
        return Beams(
            tokens=tokens,
            log_probs=ops.where(hopeful, alive, NEVER),
            trace=trace,
            coverage=coverage,
            state=gather_rows(outputs.state, rows),
            ended=ended,
            alignments=write(beams.alignments, t, outputs.alignments),
        )

    def take(self, chosen: Any) -> "Search":
        """The same search for some rows of the batch, if its rules, penalties and choice suit."""
        search = copy.copy(self)
        if self.limited_by_row:
            search.limits = ops.take(self.limits, chosen, axis=0)
        return search

    def pick(self, beams: Beams, chosen: Any) -> Beams:
        """The beams of some rows of the batch."""
        of_beams = self.beams_of(chosen)
        rest: Beams = gather_rows(beams._replace(state=(), alignments=()), chosen)
        return rest._replace(
            state=gather_rows(beams.state, of_beams),
            alignments=gather_rows(beams.alignments, of_beams, axis=1),
        )

    def beams_of(self, chosen: Any) -> Any:
        """Which of `(batch * width, ...)` belong to some rows of the batch."""
        return ops.reshape(chosen[:, None] * self.width + ops.arange(self.width), (-1,))

    def finish(self, beams: Beams) -> Decoded:
        """The sequences that ended, with the alignments of their own past."""
        scores, lengths, trace = beams.ended
        lengths = ops.where(scores > NEVER, lengths, 0)
        batch, n_best, time = ops.shape(trace.places)
        moments = ops.arange(time, dtype="int32")

        def align(buffer: Any) -> Any:
            _, rows, *rest = ops.shape(buffer)
            places = ops.reshape(trace.places, (batch, n_best * time))
            places = ops.reshape(rows_of(places, self.width), (batch, n_best, time))
            flat = ops.reshape(buffer, (-1, *rest))
            return blank_after(lengths, ops.take(flat, places + moments * rows, axis=0))

        alignments = tree.map_structure(align, beams.alignments)
        found = Decoded(blank_after(lengths, trace.ids, PAD), lengths, scores, alignments)
        return found if self.groups == 1 else self._together(found)

    def _together(self, found: Decoded) -> Decoded:
        """What the groups of each row found, the best first."""
        n_best = self.groups * self.n_best

        def per_batch(part: Any) -> Any:
            return ops.reshape(part, (-1, n_best, *ops.shape(part)[2:]))

        found = tree.map_structure(per_batch, found)
        _, order = ops.top_k(found.scores, n_best)
        together: Decoded = gather(found, ops.cast(order, "int32"))
        return together

    def _empty_trace(self, rows: Any) -> Trace:
        empty = ops.repeat(rows[:, :, None], self.max_length, axis=2)
        return Trace(empty, empty)

    def _expand(self, t: Any, beams: Beams, log_probs: Any) -> tuple[Any, Any, Any]:
        """The `width` best continuations: totals, the beams they continue, their tokens."""
        vocab = log_probs.shape[-1]
        ids = ops.reshape(beams.trace.ids, (-1, self.max_length))
        log_probs = ops.reshape(self.rules(log_probs, ids, t), (-1, self.width, vocab))
        return self.select(beams.log_probs, log_probs, beams.trace.ids, t)

    def _extend(self, t: Any, trace: Trace, tokens: Any, parents: Any) -> Trace:
        here = ops.arange(self.max_length, dtype="int32") == t
        return Trace(
            ids=ops.where(here, tokens[:, :, None], trace.ids),
            places=ops.where(here, parents[:, :, None], trace.places),
        )

    def _keep(self, t: Any, ended: Ended, totals: Any, trace: Trace, coverage: Any) -> Ended:
        """The best of what had ended and what ends now, with totals above -inf."""
        lengths = ops.full_like(totals, t + 1, dtype="float32")
        scores = totals / self.length_penalty(lengths)
        if self.coverage_penalty:
            whole = ops.reshape(coverage, (-1, self.groups * self.width, ops.shape(coverage)[-1]))
            scores = scores + ops.reshape(self.coverage_penalty(whole), (-1, self.width))
        new = Ended(scores, ops.cast(lengths, "int32"), trace)
        both = tree.map_structure(lambda a, b: ops.concatenate([a, b], axis=1), ended, new)
        scores, chosen = ops.top_k(both.scores, self.n_best)
        kept = gather(both._replace(scores=()), ops.cast(chosen, "int32"))
        return kept._replace(scores=scores)

    def _bound(self, t: Any, totals: Any) -> Any:
        """The most that a living beam can still score: with certain tokens only, few or many."""
        soon = ops.full_like(totals, t + 2, dtype="float32")
        late = ops.broadcast_to(ops.cast(self.limits, "float32"), ops.shape(totals))
        return ops.maximum(totals / self.length_penalty(soon), totals / self.length_penalty(late))

    def _positions(self, outputs: Outputs) -> Any:
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
