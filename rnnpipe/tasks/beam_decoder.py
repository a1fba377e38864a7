"""Beam search, and its hypotheses as Python objects."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.decoding import Decoded, Step, beam_search, gnmt_length, greedy_search
from rnnpipe.errors import UserError
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


class BeamDecoder:
    """Beam search with fixed options; a width of 1 is greedy search.

    Args:
        width: of the beam.
        n_best: how many sequences of each source, at most the width.
        length_penalty: alpha of GNMT's.
        max_length: the most tokens of a sequence, the end token included.
    """

    def __init__(self, *, width: int, n_best: int, length_penalty: float, max_length: int) -> None:
        self.width, self._n_best, self._max_length = width, n_best, max_length
        self._penalty = gnmt_length(length_penalty if width > 1 else 0.0)

    def decode(self, step: Step, state: Any, max_lengths: Any = None) -> Decoded:
        """Decodes from an initial state; it may be part of a graph.

        Args:
            step: of the model.
            state: the first state.
            max_lengths: the most tokens of each row, `(batch,)`, where that is less.
        """
        if self.width == 1:
            return greedy_search(step, state, max_length=self._max_length, max_lengths=max_lengths)
        return beam_search(
            step,
            state,
            beam_width=self.width,
            n_best=self._n_best,
            max_length=self._max_length,
            max_lengths=max_lengths,
            length_penalty=self._penalty,
        )

    def hypotheses(self, decoded: Decoded, row: int) -> list[Hypothesis]:
        """The hypotheses of one row, the best first; there may be fewer than `n_best`.

        There may be none if the training of the model has diverged.

        Args:
            decoded: what `decode` returned, as arrays.
            row: which row of the batch.
        """
        found = []
        for rank, length in enumerate(decoded.lengths[row].tolist()):
            if not length:
                break
            score = float(decoded.scores[row, rank])
            log_prob = score * float(self._penalty(float(length)))
            tokens = decoded.ids[row, rank, :length].tolist()
            tokens = tokens[:-1] if tokens[-1] == END else tokens
            looks = decoded.alignments
            looks = None if looks is None else looks[row, rank, : len(tokens)]
            found.append(Hypothesis(tokens, score, float(np.exp(log_prob / length)), looks))
        return found


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
        fix = "ask for fewer, or raise evaluate.beam.width in the run's config.yaml"
        raise UserError("--n-best", expected, str(n_best), fix)
    return n_best


def to_arrays(decoded: Decoded) -> Decoded:
    """The tensors of `Decoded` as arrays."""
    return Decoded(*(None if part is None else np.asarray(part) for part in decoded))
