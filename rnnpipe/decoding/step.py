"""The one thing that decoding knows of a model: a step."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops, tree

from rnnpipe.errors import UserError

Step = Callable[[Any, Any], Any]
"""`step(tokens, state)` returns `(logits, state)` or `(logits, state, alignments)`.

Args:
    tokens: `(batch,)` int32, the tokens chosen last; at first the start tokens.
    state: any nested structure of tensors whose first axis is the batch. In a beam search that is
        `batch * width`, and every row goes with its beam. What never changes (memory, mask, keys)
        may be part of it, or stay outside with each row repeated `width` times.

Returns:
    logits `(batch, vocab)`, unnormalised; the new state, of the same structure, shapes and dtypes;
    and, from a step that attends, its alignments: a nested structure of `(batch, ...)`.

A step may also have a method `take(rows)`, which returns the same step for these rows `(rows,)` of
the batch alone. Then greedy and beam search go on with half of the rows once half have ended.
"""


class SelfContained:
    """A step that reads of each row no more than its token and its state.

    Greedy and beam search drop rows of such a step once they have ended.

    Args:
        step: the step; see `Step`.

    Example:
        >>> from keras import ops
        >>> from rnnpipe.decoding import greedy
        >>> def count_down(tokens, state):  # says "a" (4) so many times, then the end token (3)
        ...     return 20.0 * ops.one_hot(ops.where(state > 0, 4, 3), 5), state - 1
        >>> greedy(SelfContained(count_down), ops.array([2, 0]), max_length=3).ids.numpy().tolist()
        [[[4, 4, 3]], [[3, 0, 0]]]
    """

    def __init__(self, step: Step) -> None:
        self.step = step

    def __call__(self, tokens: Any, state: Any) -> Any:
        """What the step returns."""
        return self.step(tokens, state)

    def take(self, rows: Any) -> "SelfContained":
        """The same for any rows."""
        del rows
        return self


class Outputs(NamedTuple):
    """What a step returned, with log-probabilities `(batch, vocab)` in float32."""

    log_probs: Any
    state: Any
    alignments: Any


def run_step(step: Step, tokens: Any, state: Any) -> Outputs:
    """Calls a step and checks what came; without alignments, they are an empty tuple."""
    returned = step(tokens, state)
    if not isinstance(returned, tuple) or len(returned) not in (2, 3):
        came = f"{len(returned)} values" if isinstance(returned, tuple) else type(returned).__name__
        raise UserError(
            "step", "(logits, state) or (logits, state, alignments)", came, "return such a tuple"
        )
    logits, after, *alignments = returned
    logits = ops.convert_to_tensor(logits)
    shape = tuple(logits.shape)
    if len(shape) != 2 or shape[-1] is None:
        raise UserError("step", "logits (batch, vocab)", str(shape), "return those of one step")
    if None not in (shape[0], tokens.shape[0]) and shape[0] != tokens.shape[0]:
        expected = f"logits of {tokens.shape[0]} rows, one for each token"
        raise UserError("step", expected, str(shape), "keep the rows of all tensors together")
    _check_state(state, after)
    log_probs = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return Outputs(log_probs, after, alignments[0] if alignments else ())


def _check_state(before: Any, after: Any) -> None:
    old, new = tree.flatten(before), tree.flatten(after)
    try:
        tree.assert_same_structure(before, after)
    except (ValueError, TypeError) as error:
        expected = f"a new state of {len(old)} tensors, nested like the old"
        came = f"{len(new)} tensors in a {type(after).__name__}"
        fix = "return a state of the structure that came in"
        raise UserError("step", expected, came, fix) from error
    for shape, other in ((tuple(a.shape), tuple(b.shape)) for a, b in zip(old, new, strict=True)):
        grown = any(None not in (a, b) and a != b for a, b in zip(shape, other, strict=False))
        if len(shape) != len(other) or grown:
            fix = "write what grows into a tensor of its greatest size"
            raise UserError("step", f"a new state of the old shape, {shape}", str(other), fix)


def given(alignments: Any) -> Any:
    """Alignments, or None for the empty tuple that stands for none inside a loop."""
    return None if isinstance(alignments, tuple) and not alignments else alignments


def first_tokens(start: Any, state: Any) -> Any:
    """The start tokens as `(batch,)` int32; a single one is repeated for each row of the state."""
    start = ops.cast(ops.convert_to_tensor(start), "int32")
    if len(start.shape) == 1:
        return start
    if len(start.shape) > 1:
        raise UserError(
            "start", "a token, or one a row (batch,)", str(tuple(start.shape)), "drop the last axis"
        )
    tensors = tree.flatten(state)
    if not tensors:
        raise UserError(
            "start",
            "tokens (batch,), as an empty state does not tell the batch",
            "a single token",
            "repeat it for each row",
        )
    return ops.broadcast_to(start, (ops.shape(tensors[0])[0],))


def check_count(name: str, count: Any, example: str, least: int = 1) -> None:
    """Complains of what is no whole number, or too small."""
    if not isinstance(count, int | np.integer) or count < least:
        raise UserError(name, f"a whole number, at least {least}", repr(count), f"write {example}")


def check_tokens(name: str, tokens: Any, vocab: int) -> None:
    """Complains of tokens that the vocabulary has not; what is in a tensor may not be known yet."""
    if not isinstance(tokens, int | Sequence | np.ndarray):
        return
    outside = sorted({int(token) for token in np.ravel(tokens) if not 0 <= token < vocab})
    if outside:
        expected = f"tokens of the vocabulary, 0 to {vocab - 1}"
        raise UserError(name, expected, str(outside), "pass ids of this vocabulary")


def row_limits(longest: Any, max_length: int, rows: int | None) -> Any:
    """The greatest length of each row, `(batch,)`, or the one number that holds for all.

    Args:
        longest: `(batch,)` integers, or None; what is beyond `max_length` is that.
        max_length: the greatest length of all.
        rows: how many there are, if that is known.

    Raises:
        UserError: it is no list of one number for each row, or one of them is below 1.
    """
    if longest is None:
        return max_length
    fix = "give each row its greatest length"
    shape = tuple(np.shape(longest) if isinstance(longest, Sequence) else longest.shape)
    if len(shape) != 1 or (None not in (rows, shape[0]) and rows != shape[0]):
        expected = "(batch,)" if rows is None else f"({rows},), as the batch has so many rows"
        raise UserError("longest", expected, str(shape), fix)
    if isinstance(longest, Sequence | np.ndarray) and np.size(longest) and np.min(longest) < 1:
        raise UserError("longest", "lengths of at least 1", str(np.min(longest)), fix)
    return ops.clip(ops.cast(longest, "int32"), 1, max_length)


def check_lengths(max_length: int, end: int, vocab: int | None = None) -> None:
    """Complains of a length or an end token that cannot be."""
    check_count("max_length", max_length, "e.g. max_length=50")
    if end < 0 or (vocab is not None and end >= vocab):
        upper = "the vocabulary" if vocab is None else f"the vocabulary, 0 to {vocab - 1}"
        raise UserError("end", f"a token of {upper}", str(end), "pass the model's end token")
