"""The loop of the strategies that follow one path: greedy and sampling."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops, tree

from rnnpipe.decoding.constraints import Constraints, Rules
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.narrowing import halvings_for, run
from rnnpipe.decoding.step import (
    Outputs,
    Step,
    check_lengths,
    check_tokens,
    first_tokens,
    given,
    row_limits,
    run_step,
)
from rnnpipe.decoding.structures import allocate, blank_after, gather_rows, tile, write
from rnnpipe.text.tokens import PAD

Choose = Callable[[Any, Any], Any]
"""From log-probabilities `(rows, vocab)` and the time to tokens `(rows,)`."""


class Path(NamedTuple):
    """Where each row is."""

    tokens: Any  # (rows,)
    state: Any
    going: Any  # (rows,), False after the end token or as many tokens as there may be
    ids: Any  # (rows, time)
    lengths: Any  # (rows,)
    scores: Any  # (rows,)
    alignments: Any  # (time, rows, ...)


def walk(
    step: Step,
    state: Any,
    choose: Choose,
    *,
    start: Any,
    end: int,
    max_length: int,
    longest: Any,
    constraints: Constraints | None,
    copies: int = 1,
    halves: bool = False,
) -> Decoded:
    """Follows one path for each row, or `copies` of them; see `greedy` for the arguments.

    With `halves`, the choice may be asked of some rows alone.
    """
    check_lengths(max_length, end)
    tokens, state = tile((first_tokens(start, state), state), copies)
    # The first step stands outside the loop: it tells the vocabulary and what is carried.
    first = run_step(step, tokens, state)
    shape = first.log_probs.shape
    check_lengths(max_length, end, shape[-1])
    check_tokens("start", start, shape[-1])
    limits = row_limits(longest, max_length, None if shape[0] is None else shape[0] // copies)
    limits = limits if isinstance(limits, int) else tile(limits, copies)
    constraints = constraints or Constraints()
    rules = Rules(constraints, shape, max_length=max_length, end=end, copies=copies)
    rows = _Rows(step, choose, rules, limits, end, max_length)
    t = ops.zeros((), "int32")
    path = rows.follow(t, rows.begin(tokens, first), first)
    halves = halves and constraints.prefix is None  # which knows the rows that there are
    found: Decoded = run(rows, t + 1, path, halvings_for(step) if halves else 0)

    def per_batch(tensor: Any) -> Any:
        return ops.reshape(tensor, (-1, copies, *ops.shape(tensor)[1:]))

    found = tree.map_structure(per_batch, found)
    return found._replace(alignments=given(found.alignments))


class _Rows:
    """The rows of the paths, each of which goes on to its end token or limit."""

    def __init__(
        self, step: Step, choose: Choose, rules: Rules, limits: Any, end: int, max_length: int
    ) -> None:
        self.step, self.choose, self.rules = step, choose, rules
        self.limits, self.end, self.max_length = limits, end, max_length

    def begin(self, tokens: Any, first: Outputs) -> Path:
        """Nothing chosen."""
        nothing = ops.zeros_like(tokens)
        return Path(
            tokens=tokens,
            state=first.state,
            going=ops.ones_like(tokens, dtype="bool"),
            ids=ops.repeat(nothing[:, None], self.max_length, axis=1),
            lengths=nothing,
            scores=ops.cast(nothing, "float32"),
            alignments=allocate(first.alignments, self.max_length),
        )

    def going(self, path: Path) -> Any:
        return path.going

    def advance(self, t: Any, path: Path) -> Path:
        return self.follow(t, path, run_step(self.step, path.tokens, path.state))

    def follow(self, t: Any, path: Path, outputs: Outputs) -> Path:
        """Each path with one token more."""
        tokens = self.choose(self.rules(outputs.log_probs, path.ids, t), t)
        gained = ops.take_along_axis(outputs.log_probs, tokens[:, None], axis=1)[:, 0]
        here = ops.arange(self.max_length, dtype="int32")[None] == t
        on = ops.logical_and(tokens != self.end, ops.less(t + 1, self.limits))
        return Path(
            tokens=tokens,
            state=outputs.state,
            going=ops.logical_and(path.going, on),
            ids=ops.where(here, tokens[:, None], path.ids),
            lengths=path.lengths + ops.cast(path.going, "int32"),
            scores=path.scores + ops.where(path.going, gained, 0.0),
            alignments=write(path.alignments, t, outputs.alignments),
        )

    def take(self, chosen: Any) -> "_Rows":
        step: Any = self.step  # which has `take`, as there are halvings
        limits = self.limits if isinstance(self.limits, int) else ops.take(self.limits, chosen)
        end, max_length = self.end, self.max_length
        return _Rows(step.take(chosen), self.choose, self.rules, limits, end, max_length)

    def pick(self, path: Path, chosen: Any) -> Path:
        alignments = gather_rows(path.alignments, chosen, axis=1)
        picked: Path = gather_rows(path._replace(alignments=()), chosen)
        return picked._replace(alignments=alignments)

    def finish(self, path: Path) -> Decoded:
        def align(buffer: Any) -> Any:
            order = (1, 0, *range(2, len(buffer.shape)))
            return blank_after(path.lengths, ops.transpose(buffer, order))

        ids = blank_after(path.lengths, path.ids, PAD)
        alignments = tree.map_structure(align, path.alignments)
        return Decoded(ids, path.lengths, path.scores, alignments)
