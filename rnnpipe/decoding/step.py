"""The step function: all that decoding needs of a model."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from rnnpipe import ops
from rnnpipe.errors import UserError
from rnnpipe.types import Nested, Tensor

Step: TypeAlias = Callable[[Tensor, Nested[Tensor]], tuple[Any, ...]]
"""`step(tokens, state)` returns `(logits, state)` or `(logits, state, alignments)`.

Args:
    tokens: `(batch,)` int32, the previous tokens; at first the start tokens.
    state: any nested tensors whose first axis is the batch. In a beam search that is
        `batch * beam_width`, and each row is moved with its beam. What never changes (memory, mask,
        keys) may be part of the state, or stay outside of it with each row repeated `beam_width`
        times.

Returns:
    Unnormalised logits `(batch, vocab)`; the new state, of the same structure, shapes and dtypes;
    and, from a step with attention, its alignments: nested tensors `(batch, ...)`.

A step may also have a method `select_rows(rows)`, which returns the same step for these rows
`(rows,)` of the batch alone. Then greedy and beam search compact the batch: once half of the rows
have ended, they go on with the other half.

The logits of a step with an attribute `returns_scores` that is true are scores themselves: they are
not normalised.
"""


class RowwiseStep:
    """A step whose output for a row depends on the token and the state of that row alone.

    Greedy and beam search compact the batch of such a step once rows have ended.

    Args:
        step: the step; see `Step`.

    Example:
        >>> from rnnpipe.decoding import greedy_search
        >>> def count_down(tokens, state):  # `state` times "a" (4), then the end token (3)
        ...     return 20.0 * ops.one_hot(ops.where(state > 0, 4, 3), 5), state - 1
        >>> step = RowwiseStep(count_down)
        >>> greedy_search(step, ops.array([2, 0]), max_length=3).ids.numpy().tolist()
        [[[4, 4, 3]], [[3, 0, 0]]]
    """

    def __init__(self, step: Step) -> None:
        self.step = step

    def __call__(self, tokens: Tensor, state: Nested[Tensor]) -> tuple[Any, ...]:
        """Calls the step."""
        return self.step(tokens, state)

    def select_rows(self, rows: Tensor) -> "RowwiseStep":
        """The same step, which serves any rows."""
        del rows
        return self


class StepOutputs(NamedTuple):
    """The outputs of a step, in float32."""

    log_probs: Tensor  # (batch, vocab), normalised unless the step returns scores
    state: Nested[Tensor]
    alignments: Nested[Tensor]  # an empty tuple without alignments


def run_step(step: Step, tokens: Tensor, state: Nested[Tensor]) -> StepOutputs:
    """Calls a step and checks what it returns."""
    returned: Any = step(tokens, state)
    if not isinstance(returned, tuple) or len(returned) not in (2, 3):
        is_tuple = isinstance(returned, tuple)
        got = f"{len(returned)} values" if is_tuple else type(returned).__name__
        expected = "(logits, state) or (logits, state, alignments)"
        raise UserError("step", expected, got, "return such a tuple")
    logits, after, *alignments = returned
    logits = ops.convert_to_tensor(logits)
    shape = tuple(logits.shape)
    if len(shape) != 2 or shape[-1] is None:
        raise UserError("step", "logits (batch, vocab)", str(shape), "return those of one step")
    if None not in (shape[0], tokens.shape[0]) and shape[0] != tokens.shape[0]:
        expected = f"logits of {tokens.shape[0]} rows, one for each token"
        raise UserError("step", expected, str(shape), "keep the rows of all tensors together")
    _check_state(state, after)
    log_probs = ops.cast(logits, "float32")
    if not getattr(step, "returns_scores", False):
        log_probs = ops.log_softmax(log_probs, axis=-1)
    return StepOutputs(log_probs, after, alignments[0] if alignments else ())


def _check_state(before: Nested[Tensor], after: Nested[Tensor]) -> None:
    old, new = ops.tree.flatten(before), ops.tree.flatten(after)
    try:
        ops.tree.assert_same_structure(before, after)
    except (ValueError, TypeError) as error:
        expected = f"a new state of {len(old)} tensors, nested like the old"
        got = f"{len(new)} tensors in a {type(after).__name__}"
        fix = "return a state of the structure that came in"
        raise UserError("step", expected, got, fix) from error
    for shape, after_shape in (
        (tuple(a.shape), tuple(getattr(b, "shape", ()))) for a, b in zip(old, new, strict=True)
    ):
        pairs = zip(shape, after_shape, strict=False)
        differs = any(None not in pair and pair[0] != pair[1] for pair in pairs)
        if len(shape) != len(after_shape) or differs:
            fix = "write what grows into a tensor of its maximum size"
            raise UserError("step", f"a new state of the old shape, {shape}", str(after_shape), fix)
