"""Which continuations a beam search keeps."""

from collections.abc import Callable
from typing import Any

from keras import ops

from rnnpipe.decoding.ranking import top_k

NEVER = -float("inf")

Select = Callable[[Any, Any, Any, Any], tuple[Any, Any, Any]]
"""`select(before, log_probs, ids, t)` returns the totals that are kept, the beams that they
continue and their tokens, each `(batch, width)`.

Args:
    before: `(batch, width)`, the totals of the beams; -inf where a beam is given up.
    log_probs: `(batch, width, vocab)`, of each token after each beam; -inf where it may not be.
    ids: `(batch, width, time)`, of which the first `t` are chosen.
    t: how many tokens are chosen.
"""


def likeliest(before: Any, log_probs: Any, ids: Any, t: Any) -> tuple[Any, Any, Any]:
    """The continuations with the greatest totals, the best first."""
    del ids, t
    width = log_probs.shape[1]
    totals, tokens = likely_tokens(before, log_probs)
    choices = tokens.shape[2]
    totals, tokens = (ops.reshape(part, (-1, width * choices)) for part in (totals, tokens))
    totals, chosen = ops.top_k(totals, width)
    chosen = ops.cast(chosen, "int32")
    return totals, chosen // choices, ops.take_along_axis(tokens, chosen, axis=1)


def likely_tokens(before: Any, log_probs: Any) -> tuple[Any, Any]:
    """As many of the likeliest tokens of each beam as could be kept, and their totals.

    Returns:
        Totals and tokens, `(batch, width, choices)`, the best first.
    """
    _, width, vocab = log_probs.shape
    choices = min(width, vocab)
    found = top_k(ops.reshape(log_probs, (-1, vocab)), choices)
    likely, tokens = (ops.reshape(part, (-1, width, choices)) for part in found)
    return add_up(before, likely), tokens


def add_up(before: Any, log_probs: Any) -> Any:
    """Totals of continuations, `(batch, width, choices)`."""
    before = before[:, :, None]
    # A step may say anything, NaN too, of a beam that is given up.
    return ops.where(before > NEVER, before + log_probs, NEVER)


def in_groups(select: Select, groups: int, strength: float) -> Select:
    """Groups that select one after another and avoid the tokens of those before them.

    A token costs `strength` for each beam of an earlier group that takes it at the same time: that
    is the Hamming diversity. It decides what is kept and does not enter the totals.

    Args:
        select: how each group selects.
        groups: how many there are; of all that is given and kept, `batch * groups` are the rows,
            each row's groups one after another.
        strength: λ, 0 or more.

    Source: Vijayakumar et al., Diverse Beam Search, 2018, section 4.
    """

    def select_in_turn(before: Any, log_probs: Any, ids: Any, t: Any) -> tuple[Any, Any, Any]:
        _, width, vocab = log_probs.shape
        before = ops.reshape(before, (-1, groups, width))
        log_probs = ops.reshape(log_probs, (-1, groups, width, vocab))
        ids = ops.reshape(ids, (-1, groups, width, ids.shape[-1]))
        taken = ops.zeros_like(log_probs[:, 0, 0])  # (batch, vocab)
        kept = []
        for group in range(groups):
            own = log_probs[:, group]
            scores, parents, tokens = select(
                before[:, group], own - strength * taken[:, None], ids[:, group], t
            )
            own = ops.reshape(own, (-1, width * vocab))
            gained = ops.take_along_axis(own, parents * vocab + tokens, axis=1)
            gained = gained + ops.take_along_axis(before[:, group], parents, axis=1)
            alive = scores > NEVER
            kept.append((ops.where(alive, gained, NEVER), parents, tokens))
            votes = ops.one_hot(tokens, vocab) * ops.cast(alive, "float32")[..., None]
            taken = taken + ops.sum(votes, axis=1)
        totals, parents, tokens = (
            ops.reshape(ops.stack(part, axis=1), (-1, width)) for part in zip(*kept, strict=True)
        )
        return totals, parents, tokens

    return select_in_turn
