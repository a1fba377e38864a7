"""Greedy decoding: always the likeliest token."""

from typing import Any

from keras import ops

from rnnpipe.decoding.constraints import Constraints
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.step import Step
from rnnpipe.decoding.walk import walk
from rnnpipe.text.tokens import END, START


def greedy(
    step: Step,
    state: Any,
    *,
    max_length: int,
    longest: Any = None,
    start: Any = START,
    end: int = END,
    constraints: Constraints | None = None,
) -> Decoded:
    """Takes the likeliest token at each step, until all rows have ended or are full.

        yₜ = argmax_y P(y | y₁ … yₜ₋₁)

    Args:
        step: `step(tokens, state)` returns `(logits, state)` or `(logits, state, alignments)`; see
            `Step`.
        state: the first state, whose rows are the batch.
        max_length: the greatest length, the end token included.
        longest: the greatest length of each row, `(batch,)`, where they differ.
        start: the first token that the step sees: one for all rows, or `(batch,)`.
        end: the end token.
        constraints: what the sequences may not be.

    Returns:
        A `Decoded` with one sequence a row: `(batch, 1, time)`. Its scores are log-probabilities.

    Raises:
        UserError: if an argument is out of range, or the step returns something else.

    Example:
        >>> from keras import ops
        >>> word = [10, 11, 12, 3]  # what this step always says, then the end token
        >>> def step(tokens, state):
        ...     return 20.0 * ops.one_hot(ops.take(ops.array(word), state), 13), state + 1
        >>> greedy(step, ops.zeros((1,), "int32"), max_length=6).ids.numpy().tolist()
        [[[10, 11, 12, 3, 0, 0]]]
    """

    def choose(log_probs: Any, t: Any) -> Any:
        del t
        return ops.cast(ops.argmax(log_probs, axis=-1), "int32")

    return walk(
        step,
        state,
        choose,
        start=start,
        end=end,
        max_length=max_length,
        longest=longest,
        constraints=constraints,
        halves=True,
    )
