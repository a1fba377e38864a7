"""Sequences that a search found, out of the tensors that decoding returns."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.decoding import Decoded, Step, beam_search, gnmt_length, greedy_search
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import END


@dataclass(frozen=True, slots=True)
class Found:
    """A sequence that was found.

    Args:
        tokens: its ids, without the end token.
        score: what it was chosen by: its log-probability, in nats, over the length penalty.
        probability: the geometric mean of its tokens' probabilities, the end token's included.
        alignment: where the model looked at each of its tokens, `(time, ...)`; None of a model
            that does not look.
    """

    tokens: list[int]
    score: float
    probability: float
    alignment: Any


class Beam:
    """How sequences are searched for; a width of 1 is greedy.

    Args:
        width: of the beam.
        n_best: how many sequences of each source, at most the width.
        length_penalty: alpha of GNMT's.
        max_length: the most tokens of a sequence, the end token included.
    """

    def __init__(self, *, width: int, n_best: int, length_penalty: float, max_length: int) -> None:
        self.width, self._n_best, self._max_length = width, n_best, max_length
        self._penalty = gnmt_length(length_penalty if width > 1 else 0.0)

    def search(self, step: Step, state: Any, max_lengths: Any = None) -> Decoded:
        """What decoding finds from a first state on; it may be part of a graph.

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

    def read(self, decoded: Decoded, row: int) -> list[Found]:
        """The sequences of one row, the best first; fewer where fewer were found.

        There may be none: a beam finds nothing with a model that has diverged.

        Args:
            decoded: what `search` returned, as arrays.
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
            found.append(Found(tokens, score, float(np.exp(log_prob / length)), looks))
        return found


def count_wanted(wanted: str, width: int, default: int) -> int:
    """How many sequences are asked for.

    Args:
        wanted: what `--n-best` was, or nothing.
        width: of the beam.
        default: what stands where nothing was said.

    Raises:
        UserError: it is no number from 1 to the width.

    Example:
        >>> count_wanted("3", width=5, default=1), count_wanted("", width=5, default=1)
        (3, 1)
    """
    wanted = wanted or str(default)
    if not wanted.isascii() or not wanted.isdigit() or not 1 <= int(wanted) <= width:
        fix = "ask for fewer, or widen evaluate.beam.width in the run's config.yaml"
        raise UserError("--n-best", f"a number from 1 to the beam's width, {width}", wanted, fix)
    return int(wanted)


def to_arrays(decoded: Decoded) -> Decoded:
    """The tensors of `Decoded` as arrays."""
    return Decoded(*(None if part is None else np.asarray(part) for part in decoded))
