"""The loop of the strategies that follow a single path: greedy search and sampling."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from rnnpipe import ops
from rnnpipe.decoding import compaction
from rnnpipe.decoding.checks import check_lengths, check_tokens, length_limits, start_tokens
from rnnpipe.decoding.constraints import AnyConstraints, Rules
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.nested import allocate, mask_after, write
from rnnpipe.decoding.step import Step, StepOutputs, run_step
from rnnpipe.nested import is_empty, repeat_rows, select_rows
from rnnpipe.text.tokens import PAD
from rnnpipe.types import Nested, Tensor

Choose: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""From log-probabilities `(rows, vocab)` and the time to tokens `(rows,)`."""


class Path(NamedTuple):
    """The sequence of each row so far."""

    tokens: Tensor  # (rows,)
    state: Nested[Tensor]
    active: Tensor  # (rows,), False after the end token or the maximum length
    ids: Tensor  # (rows, time)
    lengths: Tensor  # (rows,)
    scores: Tensor  # (rows,)
    alignments: Nested[Tensor]  # (time, rows, ...)


def decode_single_path(
    step: Step,
    state: Nested[Tensor],
    choose: Choose,
    *,
    start: Any,
    end: int,
    max_length: int,
    max_lengths: Any,
    constraints: AnyConstraints,
    repeats: int = 1,
    compact: bool = False,
) -> Decoded:
    """Decodes one sequence for each row, or `repeats` of them; see `greedy_search`.

    Args:
        step: as for `greedy_search`.
        state: as for `greedy_search`.
        choose: chooses the next tokens.
        start: as for `greedy_search`.
        end: as for `greedy_search`.
        max_length: as for `greedy_search`.
        max_lengths: as for `greedy_search`.
        constraints: as for `greedy_search`.
        repeats: how many sequences of each row.
        compact: whether `choose` may be called with some of the rows.
    """
    check_lengths(max_length, end)
    tokens, state = repeat_rows((start_tokens(start, state), state), repeats)
    # The first step is outside of the loop: vocabulary and alignments are known after it.
    first = run_step(step, tokens, state)
    rows, vocab = first.log_probs.shape
    check_lengths(max_length, end, vocab)
    check_tokens("start", start, vocab)
    limits = length_limits(max_lengths, max_length, None if rows is None else rows // repeats)
    limits = limits if isinstance(limits, int) else repeat_rows(limits, repeats)
    rules = Rules(constraints, (rows, vocab), max_length=max_length, end=end, repeats=repeats)
    search = _Search(step, choose, rules, limits, end, max_length)
    t = ops.zeros((), "int32")
    path = search.extend(t, search.first_path(tokens, first), first)
    compact = compact and rules.can_compact and compaction.can_compact(step)
    decoded: Decoded = compaction.run(search, t + 1, path, compact=compact)

    def per_batch(tensor: Tensor) -> Tensor:
        return ops.reshape(tensor, (-1, repeats, *ops.shape(tensor)[1:]))

    alignments = decoded.alignments
    decoded = ops.tree.map_structure(per_batch, decoded)
    return decoded._replace(alignments=None) if is_empty(alignments) else decoded


class _Search:
    """A path for each row, to its end token or maximum length."""

    def __init__(
        self, step: Step, choose: Choose, rules: Rules, limits: Any, end: int, max_length: int
    ) -> None:
        self.step, self.choose, self.rules = step, choose, rules
        self.limits, self.end, self.max_length = limits, end, max_length

    def first_path(self, tokens: Tensor, first: StepOutputs) -> Path:
        """Empty sequences."""
        zeros = ops.zeros_like(tokens)
        return Path(
            tokens=tokens,
            state=first.state,
            active=ops.ones_like(tokens, dtype="bool"),
            ids=ops.repeat(zeros[:, None], self.max_length, axis=1),
            lengths=zeros,
            scores=ops.cast(zeros, "float32"),
            alignments=allocate(first.alignments, self.max_length),
        )

    def active(self, path: Path) -> Tensor:
        return path.active

    def advance(self, t: Tensor, path: Path) -> Path:
        return self.extend(t, path, run_step(self.step, path.tokens, path.state))

    def extend(self, t: Tensor, path: Path, outputs: StepOutputs) -> Path:
        """Each path with its next token."""
        tokens = self.choose(self.rules(outputs.log_probs, path.ids, t), t)
        log_probs = ops.take_along_axis(outputs.log_probs, tokens[:, None], axis=1)[:, 0]
        here = ops.arange(self.max_length, dtype="int32")[None] == t
        goes_on = ops.logical_and(tokens != self.end, ops.less(t + 1, self.limits))
        return Path(
            tokens=tokens,
            state=outputs.state,
            active=ops.logical_and(path.active, goes_on),
            ids=ops.where(here, tokens[:, None], path.ids),
            lengths=path.lengths + ops.cast(path.active, "int32"),
            scores=path.scores + ops.where(path.active, log_probs, 0.0),
            alignments=write(path.alignments, t, outputs.alignments),
        )

    def select_rows(self, rows: Tensor) -> "_Search":
        step: Any = self.step  # with `select_rows`, as the batch is compacted
        limits = self.limits if isinstance(self.limits, int) else ops.take(self.limits, rows)
        rules = self.rules.select_rows(rows)
        return _Search(
            step.select_rows(rows), self.choose, rules, limits, self.end, self.max_length
        )

    def select_carry(self, path: Path, rows: Tensor) -> Path:
        alignments = select_rows(path.alignments, rows, axis=1)
        selected: Path = select_rows(path._replace(alignments=()), rows)
        return selected._replace(alignments=alignments)

    def finish(self, path: Path) -> Decoded:
        def batch_major(buffer: Tensor) -> Tensor:
            order = (1, 0, *range(2, len(buffer.shape)))
            return mask_after(path.lengths, ops.transpose(buffer, order))

        ids = mask_after(path.lengths, path.ids, PAD)
        alignments = ops.tree.map_structure(batch_major, path.alignments)
        return Decoded(ids, path.lengths, path.scores, alignments)
