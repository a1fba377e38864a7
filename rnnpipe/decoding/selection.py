"""Which continuations a beam search keeps."""

from typing import Protocol

from rnnpipe import ops
from rnnpipe.decoding.top_k import blocked_top_k
from rnnpipe.types import Tensor

NEG_INF = -float("inf")


class Selection(Protocol):
    """Selects the continuations that a beam search keeps at each step.

    It is a function of tensors of fixed shapes, which may become part of a graph.
    """

    def __call__(
        self, scores: Tensor, log_probs: Tensor, ids: Tensor, t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Selects as many continuations as there are beams.

        Args:
            scores: `(batch, width)`, the log-probabilities of the beams; -inf where a beam is dead.
            log_probs: `(batch, width, vocab)`, of each token after each beam; -inf where the
                constraints forbid it.
            ids: `(batch, width, time)`, of which the first `t` are chosen.
            t: how many tokens are chosen.

        Returns:
            The scores of what is kept, the indices of the beams that are continued, and their
            tokens, each `(batch, width)`; a score of -inf keeps nothing.
        """


def top_continuations(
    scores: Tensor, log_probs: Tensor, ids: Tensor, t: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The continuations with the highest scores, the best first: the default `Selection`."""
    del ids, t
    width = log_probs.shape[1]
    scores, tokens = top_tokens(scores, log_probs)
    choices = tokens.shape[2]
    scores, tokens = (ops.reshape(part, (-1, width * choices)) for part in (scores, tokens))
    scores, chosen = ops.top_k(scores, width)
    chosen = ops.cast(chosen, "int32")
    return scores, chosen // choices, ops.take_along_axis(tokens, chosen, axis=1)


def top_tokens(scores: Tensor, log_probs: Tensor) -> tuple[Tensor, Tensor]:
    """The most likely tokens of each beam, as many as could be kept.

    Returns:
        Scores and tokens, `(batch, width, choices)`, the best first.
    """
    _, width, vocab = log_probs.shape
    choices = min(width, vocab)
    top = blocked_top_k(ops.reshape(log_probs, (-1, vocab)), choices)
    log_probs, tokens = (ops.reshape(part, (-1, width, choices)) for part in top)
    return extend_scores(scores, log_probs), tokens


def extend_scores(scores: Tensor, log_probs: Tensor) -> Tensor:
    """The scores of continuations, `(batch, width, choices)`."""
    scores = scores[:, :, None]
    # A step may return anything, NaN too, for a dead beam.
    return ops.where(scores > NEG_INF, scores + log_probs, NEG_INF)


def diverse_groups(selection: Selection, groups: int, strength: float) -> Selection:
    """Groups that select one after another and avoid the tokens of those before them.

    A token costs `strength` for each beam of an earlier group that takes it at the same step (the
    Hamming diversity). The cost decides what is kept and does not enter the scores.

    Args:
        selection: how each group selects.
        groups: how many there are; the rows of all arguments are `batch * groups`, each row's
            groups one after another.
        strength: λ, 0 or more.

    Source: Vijayakumar et al., Diverse Beam Search, 2018, section 4.
    """

    def select_by_group(
        scores: Tensor, log_probs: Tensor, ids: Tensor, t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        _, width, vocab = log_probs.shape
        scores = ops.reshape(scores, (-1, groups, width))
        log_probs = ops.reshape(log_probs, (-1, groups, width, vocab))
        ids = ops.reshape(ids, (-1, groups, width, ids.shape[-1]))
        counts = ops.zeros_like(log_probs[:, 0, 0])  # (batch, vocab)
        selected = []
        for group in range(groups):
            before, own = scores[:, group], log_probs[:, group]
            penalised = own - strength * counts[:, None]
            penalised_scores, parents, tokens = selection(before, penalised, ids[:, group], t)
            flat = ops.reshape(own, (-1, width * vocab))
            true_scores = ops.take_along_axis(flat, parents * vocab + tokens, axis=1)
            true_scores = true_scores + ops.take_along_axis(before, parents, axis=1)
            alive = penalised_scores > NEG_INF
            selected.append((ops.where(alive, true_scores, NEG_INF), parents, tokens))
            votes = ops.one_hot(tokens, vocab, dtype="float32")
            votes = votes * ops.cast(alive, "float32")[..., None]
            counts = counts + ops.sum(votes, axis=1)
        merged = [
            ops.reshape(ops.stack(part, axis=1), (-1, width))
            for part in zip(*selected, strict=True)
        ]
        return merged[0], merged[1], merged[2]

    return select_by_group
