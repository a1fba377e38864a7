"""The loop of the strategies that follow one path: greedy and sampling."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops, tree

from rnnpipe.decoding.constraints import Constraints, Rules
from rnnpipe.decoding.decoded import Decoded
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
from rnnpipe.decoding.structures import allocate, blank_after, tile, write
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
) -> Decoded:
    """Follows one path for each row, or `copies` of them; see `greedy` for the arguments."""
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

    def advance(t: Any, path: Path, outputs: Outputs) -> Path:
        tokens = choose(rules(outputs.log_probs, path.ids, t), t)
        gained = ops.take_along_axis(outputs.log_probs, tokens[:, None], axis=1)[:, 0]
        here = ops.arange(max_length, dtype="int32")[None] == t
        return Path(
            tokens=tokens,
            state=outputs.state,
            going=ops.logical_and(
                path.going, ops.logical_and(tokens != end, ops.less(t + 1, limits))
            ),
            ids=ops.where(here, tokens[:, None], path.ids),
            lengths=path.lengths + ops.cast(path.going, "int32"),
            scores=path.scores + ops.where(path.going, gained, 0.0),
            alignments=write(path.alignments, t, outputs.alignments),
        )

    def going(t: Any, path: Path) -> Any:
        del t
        return ops.any(path.going)

    def body(t: Any, path: Path) -> tuple[Any, Path]:
        return t + 1, advance(t, path, run_step(step, path.tokens, path.state))

    t = ops.zeros((), "int32")
    path = advance(t, _begin(tokens, first, max_length), first)
    _, path = ops.while_loop(going, body, (t + 1, path))
    return _finish(path, copies)


def _begin(tokens: Any, first: Outputs, max_length: int) -> Path:
    nothing = ops.zeros_like(tokens)
    return Path(
        tokens=tokens,
        state=first.state,
        going=ops.ones_like(tokens, dtype="bool"),
        ids=ops.repeat(nothing[:, None], max_length, axis=1),
        lengths=nothing,
        scores=ops.cast(nothing, "float32"),
        alignments=allocate(first.alignments, max_length),
    )


def _finish(path: Path, copies: int) -> Decoded:
    def per_batch(tensor: Any) -> Any:
        return ops.reshape(tensor, (-1, copies, *ops.shape(tensor)[1:]))

    def align(buffer: Any) -> Any:
        order = (1, 0, *range(2, len(buffer.shape)))
        return per_batch(blank_after(path.lengths, ops.transpose(buffer, order)))

    alignments = tree.map_structure(align, path.alignments)
    return Decoded(
        ids=per_batch(blank_after(path.lengths, path.ids, PAD)),
        lengths=per_batch(path.lengths),
        scores=per_batch(path.scores),
        alignments=given(alignments),
    )
