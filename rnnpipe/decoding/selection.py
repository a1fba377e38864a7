"""Which continuations a beam search keeps."""

from collections.abc import Callable
from typing import Any

from keras import ops

NEVER = -float("inf")

Select = Callable[[Any, Any, Any], tuple[Any, Any, Any]]
"""`select(totals, ids, t)` returns the totals that are kept, the beams that they continue and their
tokens, each `(batch, width)`.

Args:
    totals: `(batch, width, vocab)`, of each beam with each token; -inf where that may not be.
    ids: `(batch, width, time)`, of which the first `t` are chosen.
    t: how many tokens are chosen.
"""


def likeliest(totals: Any, ids: Any, t: Any) -> tuple[Any, Any, Any]:
    """The continuations with the greatest totals, the best first."""
    del ids, t
    _, width, vocab = totals.shape
    totals, chosen = ops.top_k(ops.reshape(totals, (-1, width * vocab)), width)
    chosen = ops.cast(chosen, "int32")
    return totals, chosen // vocab, chosen % vocab


def in_groups(select: Select, groups: int, strength: float) -> Select:
    """Groups that select one after another and avoid the tokens of those before them.

    A token costs `strength` for each beam of an earlier group that takes it at the same time: that
    is the Hamming diversity. It decides what is kept and does not enter the totals.

    Args:
        select: how each group selects.
        groups: how many there are; of totals, ids and all that is kept, `batch * groups` are the
            rows, each row's groups one after another.
        strength: λ, 0 or more.

    Source: Vijayakumar et al., Diverse Beam Search, 2018, section 4.
    """

    def select_in_turn(totals: Any, ids: Any, t: Any) -> tuple[Any, Any, Any]:
        _, width, vocab = totals.shape
        totals = ops.reshape(totals, (-1, groups, width, vocab))
        ids = ops.reshape(ids, (-1, groups, width, ids.shape[-1]))
        taken = ops.zeros_like(totals[:, 0, 0])  # (batch, vocab)
        kept = []
        for group in range(groups):
            own = totals[:, group]
            scores, parents, tokens = select(own - strength * taken[:, None], ids[:, group], t)
            own = ops.reshape(own, (-1, width * vocab))
            gained = ops.take_along_axis(own, parents * vocab + tokens, axis=1)
            alive = scores > NEVER
            kept.append((ops.where(alive, gained, NEVER), parents, tokens))
            votes = ops.one_hot(tokens, vocab) * ops.cast(alive, "float32")[..., None]
            taken = taken + ops.sum(votes, axis=1)
        totals, parents, tokens = (
            ops.reshape(ops.stack(part, axis=1), (-1, width)) for part in zip(*kept, strict=True)
        )
        return totals, parents, tokens

    return select_in_turn
