"""The hypotheses of a beam search as Python objects, and what its constraints refer to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.config.describe import closest
from rnnpipe.decoding import Decoded, gnmt_coverage, gnmt_length
from rnnpipe.errors import UserError
from rnnpipe.parts.search import BeamSearchOptions, FindToken
from rnnpipe.text.tokens import END


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A decoded sequence.

    Args:
        tokens: its ids, without the end token.
        score: what it was chosen by: its log-probability, in nats, over the length penalty.
        probability: the geometric mean of its tokens' probabilities, the end token's included.
        alignment: the attention at each of its tokens, `(time, ...)`; None of a model without
            attention.
    """

    tokens: list[int]
    score: float
    probability: float
    alignment: Any


def read_hypotheses(
    decoded: Decoded, row: int, options: BeamSearchOptions, memory_mask: Any = None
) -> list[Hypothesis]:
    """The hypotheses of one row, the best first; there may be fewer than `n_best`.

    There may be none if the training of the model has diverged.

    Args:
        decoded: what a search returned, as arrays.
        row: which row of the batch.
        options: of that search.
        memory_mask: `(positions,)`, what its coverage penalty counts of the memory of this row.
    """
    length_penalty = gnmt_length(options.length_penalty if options.penalizes else 0.0)
    coverage_penalty = None
    if options.coverage_penalty and options.penalizes:
        mask = None if memory_mask is None else memory_mask[None]
        coverage_penalty = gnmt_coverage(options.coverage_penalty, mask)
    hypotheses = []
    for rank, length in enumerate(decoded.lengths[row].tolist()):
        if not length:
            break
        log_prob = score = float(decoded.scores[row, rank])
        if coverage_penalty is not None:
            coverage = decoded.alignments[row, rank].sum(axis=0).reshape(1, 1, -1)
            log_prob -= float(coverage_penalty(coverage)[0, 0])
        log_prob *= float(length_penalty(float(length)))
        tokens = decoded.ids[row, rank, :length].tolist()
        tokens = tokens[:-1] if tokens[-1] == END else tokens
        alignments = decoded.alignments
        alignments = None if alignments is None else alignments[row, rank, : len(tokens)]
        hypotheses.append(Hypothesis(tokens, score, float(np.exp(log_prob / length)), alignments))
    return hypotheses


def token_finder(pieces: Sequence[str], where: str) -> FindToken:
    """The function from a token to its id, for what a config says of tokens.

    Args:
        pieces: the token of every id.
        where: the key that names tokens, for messages.

    Returns:
        A function that raises a `UserError` where the vocabulary has no such token.

    Example:
        >>> token_finder(["<pad>", "<unk>"], "search.constraints")("<unk>")
        1
    """
    ids = {piece: number for number, piece in enumerate(pieces)}

    def find_token(token: str) -> int:
        if token not in ids:
            likely = f"▁{token}" if f"▁{token}" in ids else closest(token, list(pieces))
            fix = f"did you mean {likely}?" if likely else "remove it"
            raise UserError(where, "tokens of the vocabulary", token, fix)
        return ids[token]

    return find_token


def check_n_best(n_best: int | None, beam_width: int, default: int) -> int:
    """The number of sequences to return per source.

    Args:
        n_best: the input `n-best`, or None.
        beam_width: the most that a beam can return.
        default: the number if `n_best` is None.

    Raises:
        UserError: it is above the beam width.

    Example:
        >>> check_n_best(3, beam_width=5, default=1), check_n_best(None, beam_width=5, default=1)
        (3, 1)
    """
    n_best = default if n_best is None else n_best
    if n_best > beam_width:
        expected = f"at most the beam width, {beam_width}"
        fix = "ask for fewer, or raise evaluate.search.beam_width in the run's config.yaml"
        raise UserError("--n-best", expected, str(n_best), fix)
    return n_best


def to_arrays(decoded: Decoded) -> Decoded:
    """The tensors of `Decoded` as arrays."""
    return Decoded(*(None if part is None else np.asarray(part) for part in decoded))
