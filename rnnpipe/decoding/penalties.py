"""Length and coverage penalties of beam search."""

from collections.abc import Callable
from typing import Any, TypeAlias

from rnnpipe import ops
from rnnpipe.decoding.checks import is_real
from rnnpipe.errors import UserError
from rnnpipe.types import Tensor

LengthPenalty: TypeAlias = Callable[[Tensor], Tensor]
"""From lengths, float32 of any shape, the end token included, to divisors of the log-probabilities:
positive, and monotonic in the length."""

CoveragePenalty: TypeAlias = Callable[[Tensor], Tensor]
"""From coverages `(batch, width, positions)`, alignments summed over time, to summands of the
scores, `(batch, width)`: never positive."""

TINY = 1e-30

MAX_ALPHA = 10  # powers of lengths, which would be 0 or infinite, are float32


def gnmt_length(alpha: float = 0.6) -> LengthPenalty:
    """Length penalty of GNMT.

        score = log P(Y) / lp(Y)     lp(Y) = ((5 + |Y|) / 6)^α

    Args:
        alpha: from -10 to 10; 0 compares plain log-probabilities; higher values prefer longer
            sequences.

    Returns:
        A penalty for `beam_search`.

    Raises:
        UserError: if alpha is out of range.

    Example:
        >>> gnmt_length(1.0)(7.0)
        2.0

    Source: Wu et al., Google's Neural Machine Translation System, 2016, equation 14.
    """
    if not is_real(alpha) or abs(alpha) > MAX_ALPHA:
        expected = f"a number from -{MAX_ALPHA} to {MAX_ALPHA}"
        raise UserError("alpha", expected, repr(alpha), "write e.g. 0.6")
    return lambda lengths: ((5.0 + lengths) / 6.0) ** alpha


def average_length(lengths: Tensor) -> Tensor:
    """Length penalty that makes a score the average log-probability of a token.

        score = log P(Y) / |Y|

    Args:
        lengths: of the sequences, the end token included.

    Returns:
        The lengths.

    Example:
        >>> average_length(7.0)
        7.0
    """
    return lengths


def gnmt_coverage(beta: float = 0.2, mask: Tensor = None) -> CoveragePenalty:
    """Coverage penalty of GNMT, for sequences that do not attend to all of the source.

        cp(X, Y) = β Σᵢ log min(Σⱼ αᵢⱼ, 1)

    Args:
        beta: its weight, 0 or more.
        mask: `(batch, positions)`, True at the positions of the source to cover, the same for all
            glimpses. By default all positions; pass it where sources are padded.

    Returns:
        A penalty for `beam_search`, whose step must then return its alignments.

    Raises:
        UserError: if beta is negative, or, when it is called, the mask does not have the
            alignments' shape.

    Source: Wu et al., Google's Neural Machine Translation System, 2016, equation 14.
    """
    if not is_real(beta) or beta < 0:
        raise UserError("beta", "0 or more", repr(beta), "write e.g. 0.2")

    def penalty(coverage: Tensor) -> Tensor:
        # A coverage of 0 would make the score -inf, as if the sequence were impossible.
        missed = ops.log(ops.clip(coverage, TINY, 1.0))
        if mask is not None:
            _check_mask(mask, coverage)
            missed = ops.reshape(missed, (*ops.shape(missed)[:2], -1, ops.shape(mask)[-1]))
            missed = ops.where(ops.cast(mask, "bool")[:, None, None], missed, 0.0)
        return beta * ops.sum(missed, axis=tuple(range(2, len(missed.shape))))

    return penalty


def check_penalties(length_penalty: Any, coverage_penalty: Any) -> None:
    """Checks that penalties are functions."""
    for name, penalty in {"length": length_penalty, "coverage": coverage_penalty}.items():
        if penalty is not None and not callable(penalty):
            fix = f"write e.g. gnmt_{name}({penalty})"
            raise UserError(f"{name}_penalty", "a function, or None", repr(penalty), fix)


def _check_mask(mask: Tensor, coverage: Tensor) -> None:
    batch, _, positions = coverage.shape
    shape = tuple(mask.shape)
    fits = len(shape) == 2 and (None in (batch, shape[0]) or batch == shape[0])
    if not fits or (None not in (positions, shape[1]) and positions % shape[1]):
        expected = f"(batch, positions), here {(batch, positions)}"
        raise UserError("mask", expected, str(shape), "pass the mask of the memory")
