"""How beam search compares sequences of different lengths and coverages."""

from collections.abc import Callable
from typing import Any

from keras import ops

from rnnpipe.errors import UserError

LengthPenalty = Callable[[Any], Any]
"""From lengths, float32 of any shape, the end token included, to what log-probabilities are divided
by: positive, and either never falling or never rising with the length."""

CoveragePenalty = Callable[[Any], Any]
"""From coverages `(batch, width, positions)`, alignments summed over time, to what is added to the
scores, `(batch, width)`: never positive."""

TINY = 1e-30


def gnmt_length(alpha: float = 0.6) -> LengthPenalty:
    """Length penalty of GNMT.

        score = log P(Y) / lp(Y)     lp(Y) = ((5 + |Y|) / 6)^α

    Args:
        alpha: 0 compares plain log-probabilities; more prefers longer sequences.

    Returns:
        A penalty for `beam_search`.

    Example:
        >>> gnmt_length(1.0)(7.0)
        2.0

    Source: Wu et al., Google's Neural Machine Translation System, 2016, equation 14.
    """
    return lambda lengths: ((5.0 + lengths) / 6.0) ** alpha


def average_length(lengths: Any) -> Any:
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


def gnmt_coverage(beta: float = 0.2, mask: Any = None) -> CoveragePenalty:
    """Coverage penalty of GNMT: sequences that left parts of the source unread score less.

        cp(X, Y) = β Σᵢ log min(Σⱼ αᵢⱼ, 1)

    Args:
        beta: how much it weighs; 0 or more.
        mask: `(batch, positions)`, True at the positions of the source that count, for each glimpse
            where there are several. Without it all count, so where sources are padded, pass it.

    Returns:
        A penalty for `beam_search`, whose step must then return its alignments.

    Raises:
        UserError: if beta is negative, or, when it is called, the mask is not of the alignments'
            shape.

    Source: Wu et al., Google's Neural Machine Translation System, 2016, equation 14.
    """
    if beta < 0:
        raise UserError("beta", "0 or more", str(beta), "write e.g. 0.2")

    def penalty(coverage: Any) -> Any:
        # What was never looked at would make the score -inf, as if the sequence were impossible.
        missed = ops.log(ops.clip(coverage, TINY, 1.0))
        if mask is not None:
            _check_mask(mask, coverage)
            missed = ops.reshape(missed, (*ops.shape(missed)[:2], -1, ops.shape(mask)[-1]))
            missed = ops.where(ops.cast(mask, "bool")[:, None, None], missed, 0.0)
        return beta * ops.sum(missed, axis=tuple(range(2, len(missed.shape))))

    return penalty


def check_penalties(length_penalty: Any, coverage_penalty: Any) -> None:
    """Complains of penalties that are no functions."""
    for name, penalty in {"length": length_penalty, "coverage": coverage_penalty}.items():
        if penalty is not None and not callable(penalty):
            fix = f"write e.g. gnmt_{name}({penalty})"
            raise UserError(f"{name}_penalty", "a function, or None", repr(penalty), fix)


def _check_mask(mask: Any, coverage: Any) -> None:
    batch, _, positions = coverage.shape
    shape = tuple(mask.shape)
    fits = len(shape) == 2 and (None in (batch, shape[0]) or batch == shape[0])
    if not fits or (None not in (positions, shape[1]) and positions % shape[1]):
        expected = f"(batch, positions), here {(batch, positions)}"
        raise UserError("mask", expected, str(shape), "pass the mask of what is attended to")
