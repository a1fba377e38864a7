"""Greedy search: the most likely token at each step."""

from typing import Any

from rnnpipe import ops
from rnnpipe.decoding.constraints import AnyConstraints
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.single_path import decode_single_path
from rnnpipe.decoding.step import Step
from rnnpipe.text.tokens import END, START
from rnnpipe.types import Nested, Tensor


def greedy_search(
    step: Step,
    state: Nested[Tensor],
    *,
    max_length: int,
    max_lengths: Any = None,
    start: Any = START,
    end: int = END,
    constraints: AnyConstraints = None,
) -> Decoded:
    """Decodes the most likely token at each step, until all rows have ended.

        yₜ = argmax_y P(y | y₁ … yₜ₋₁)

    Args:
        step: `step(tokens, state)` returns `(logits, state)` or `(logits, state, alignments)`; see
            `Step`.
        state: the first state, whose rows are the batch.
        max_length: the maximum length, the end token included.
        max_lengths: the maximum length of each row, `(batch,)`, where they differ.
        start: the first token that the step reads: one for all rows, or `(batch,)`.
        end: the end token.
        constraints: `Constraints`, a `Constraint`, or a list of them.

    Returns:
        A `Decoded` with one sequence for each row: `(batch, 1, time)`. Its scores are
        log-probabilities.

    Raises:
        UserError: if an argument is out of range, or the step returns something else.

    Example:
        >>> word = [10, 11, 12, 3]  # ends with the end token
        >>> def step(tokens, state):
        ...     return 20.0 * ops.one_hot(ops.take(ops.array(word), state), 13), state + 1
        >>> greedy_search(step, ops.zeros((1,), "int32"), max_length=6).ids.numpy().tolist()
        [[[10, 11, 12, 3, 0, 0]]]
    """

    def choose(log_probs: Tensor, t: Tensor) -> Tensor:
        del t
        return ops.argmax(log_probs, axis=-1)

    return decode_single_path(
        step,
        state,
        choose,
        start=start,
        end=end,
        max_length=max_length,
        max_lengths=max_lengths,
        constraints=constraints,
        compact=True,
    )
