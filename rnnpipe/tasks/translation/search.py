"""Translations of many sentences: batched by length, searched for with a beam, put in order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.decoding import Decoded, beam_search, gnmt_length, greedy
from rnnpipe.models.translator import begin_translation
from rnnpipe.text.tokens import END, PAD

_MULTIPLE = 4  # what padded lengths are multiples of


@dataclass(frozen=True, slots=True)
class Translation:
    """One translation of a sentence.

    Args:
        tokens: its ids, without the end token.
        score: what it was chosen by: its log-probability, in nats, over the length penalty.
        probability: the geometric mean of its tokens' probabilities, the end token's included.
        alignment: where each of its tokens came from, `(target_time, source_time)`.
    """

    tokens: list[int]
    score: float
    probability: float
    alignment: np.ndarray


class Search:
    """Finds the likeliest translations of sentences.

    Args:
        model: what `build_translator` made; its weights may change between calls.
        width: of the beam; 1 is greedy.
        n_best: how many translations of each sentence, at most the width.
        length_penalty: alpha of GNMT's.
        max_length: the most tokens of a translation, the end token included.
        batch_size: how many sentences are searched together.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        width: int = 5,
        n_best: int = 1,
        length_penalty: float = 1.0,
        max_length: int = 100,
        batch_size: int = 64,
    ) -> None:
        self._n_best, self._batch_size = n_best, batch_size
        self._penalty = gnmt_length(length_penalty if width > 1 else 0.0)
        self._search = _compile(model, width, n_best, max_length, self._penalty)

    def __call__(self, sources: Sequence[Sequence[int]]) -> list[list[Translation]]:
        """The translations of each source, the best first; a source has at least one token."""
        found: list[list[Translation]] = [[] for _ in sources]
        for rows, tokens in _batches(sources, self._batch_size):
            decoded = self._search(tf.constant(tokens))
            decoded = Decoded(*(np.asarray(part) for part in decoded))
            for place, row in enumerate(rows):
                found[row] = self._translations(decoded, place, len(sources[row]))
        return found

    def _translations(self, decoded: Decoded, place: int, source_time: int) -> list[Translation]:
        found = []
        for rank in range(self._n_best):
            length = int(decoded.lengths[place, rank])
            if not length:
                break  # fewer were found than asked for
            score = float(decoded.scores[place, rank])
            log_prob = score * float(self._penalty(float(length)))
            tokens = decoded.ids[place, rank, :length].tolist()
            tokens = tokens[:-1] if tokens[-1] == END else tokens
            alignment = decoded.alignments[place, rank, : len(tokens), 0, :source_time]
            probability = float(np.exp(log_prob / length))
            found.append(Translation(tokens, score, probability, alignment))
        return found


def _compile(
    model: keras.Model, width: int, n_best: int, max_length: int, penalty: Callable[[Any], Any]
) -> Callable[[Any], Decoded]:
    @tf.function(autograph=False, reduce_retracing=True)
    def search(source: tf.Tensor) -> Decoded:
        step, state = begin_translation(model, source, copies=width)
        if width == 1:
            return greedy(step, state, max_length=max_length)
        return beam_search(
            step,
            state,
            width=width,
            n_best=n_best,
            max_length=max_length,
            length_penalty=penalty,
        )

    return search


def _batches(
    sources: Sequence[Sequence[int]], batch_size: int
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Rows of similar lengths, the longest first, and their tokens `(batch, source_time)`."""
    order = sorted(range(len(sources)), key=lambda row: -len(sources[row]))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        time = -(-len(sources[rows[0]]) // _MULTIPLE) * _MULTIPLE
        tokens = np.full((len(rows), time), PAD, "int32")
        for place, row in enumerate(rows):
            tokens[place, : len(sources[row])] = sources[row]
        yield rows, tokens
