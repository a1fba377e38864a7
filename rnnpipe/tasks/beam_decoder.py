"""The hypotheses of a beam search as Python objects, and what its constraints refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.config.describe import closest
from rnnpipe.errors import UserError
from rnnpipe.parts.search import BeamSearchOptions, FindToken
from rnnpipe.tasks.network import Array, Arrays
from rnnpipe.text.tokens import END

if TYPE_CHECKING:
    from rnnpipe.decoding import Decoded

_TINY = 1e-30  # the least coverage, as that of the penalty


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A decoded sequence.

    Args:
        tokens: its ids, without the end token.
        score: what it was chosen by: its log-probability, in nats, over the length penalty.
        probability: the geometric mean of its tokens' probabilities, the end token's included;
            with a language model of those of both, see `ShallowFusionOptions.normalize`.
        alignment: the attention at each of its tokens, `(time, ...)`; None of a model without
            attention.
        log_probability: of all its tokens, the end token included, in nats.
    """

    tokens: list[int]
    score: float
    probability: float
    alignment: Any
    log_probability: float


def read_hypotheses(
    outputs: Arrays, row: int, options: BeamSearchOptions, memory_mask: Array | None = None
) -> list[Hypothesis]:
    """The hypotheses of one row, the best first; there may be fewer than `n_best`.

    There may be none if the training of the model has diverged.

    Args:
        outputs: `ids`, `lengths`, `scores` and perhaps `alignments` of a search, see `Decoded`.
        row: which row of the batch.
        options: of that search.
        memory_mask: `(positions,)`, what its coverage penalty counts of the memory of this row.
    """
    alignments = outputs.get("alignments")
    hypotheses = []
    for rank, length in enumerate(outputs["lengths"][row].tolist()):
        if not length:
            break
        score = float(outputs["scores"][row, rank])
        alignment = None if alignments is None else alignments[row, rank]
        log_prob = _remove_penalties(score, length, alignment, options, memory_mask)
        tokens = outputs["ids"][row, rank, :length].tolist()
        tokens = tokens[:-1] if tokens[-1] == END else tokens
        if options.language_model is not None:
            log_prob = options.language_model.normalize(log_prob, len(tokens))
        alignment = None if alignment is None else alignment[: len(tokens)]
        probability = float(np.exp(log_prob / length))
        hypotheses.append(Hypothesis(tokens, score, probability, alignment, log_prob))
    return hypotheses


def _remove_penalties(
    score: float,
    length: int,
    alignment: Array | None,
    options: BeamSearchOptions,
    memory_mask: Array | None,
) -> float:
    """The log-probability of a sequence from its score, see `gnmt_length`, `gnmt_coverage`."""
    if not options.penalizes:
        return score
    if options.coverage_penalty and alignment is not None:
        missed = np.log(np.clip(alignment.sum(axis=0), _TINY, 1.0))  # (..., positions)
        if memory_mask is not None:
            missed = np.where(memory_mask, missed.reshape(-1, len(memory_mask)), 0.0)
        score -= options.coverage_penalty * float(missed.sum())
    return score * ((5.0 + length) / 6.0) ** options.length_penalty


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


def to_arrays(decoded: Decoded) -> Arrays:
    """The tensors of `Decoded` as arrays by name; there are no `alignments` without attention."""
    parts = decoded._asdict().items()
    return {name: np.asarray(part) for name, part in parts if part is not None}
