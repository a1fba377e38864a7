"""CIDEr-D fast enough for a reward: document frequencies are counted once."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from math import log, sqrt
from typing import NamedTuple

import numpy as np

from rnnpipe.errors import UserError

Token = Hashable
Caption = Sequence[Token]

_N = 4
_SIGMA = 6.0


class _Weighed(NamedTuple):
    """A caption's tf-idf weights of its n-grams, their norms for every n, and its length."""

    weights: list[dict[tuple[Token, ...], float]]
    norms: list[float]
    length: int


class CiderD:
    """CIDEr-D of captions against the references of their images.

    For n from 1 to 4, with the tf-idf weights g of a caption's n-grams,

        CIDEr-Dₙ(c, R) = 10 / |R| · Σᵣ exp(-(|c| - |r|)² / 2σ²) · min(gₙ(c), gₙ(r)) · gₙ(r)
                                    / (‖gₙ(c)‖ ‖gₙ(r)‖)

    and CIDEr-D is their mean; σ = 6. An n-gram's document frequency is the number of images of
    whose references it is a part. Tokens are words or ids; a reward takes the end token for one,
    too, so that a caption that stops too early loses what stands before the end.

    Args:
        references: the references of every image, from which document frequencies are counted: of
            a reward, those of the training split.
        remembered: of how many images the references' weights are kept in memory, about 30 kB each.

    Raises:
        UserError: there are no references.

    Example:
        >>> scorer = CiderD([[["a", "red", "circle"]], [["a", "blue", "square"]]])
        >>> scorer.score([["a", "red", "circle"]], [[["a", "red", "circle"]]])
        array([7.5])

    Source:
        Vedantam et al., "CIDEr: Consensus-based Image Description Evaluation" (2015), section 6;
        where they differ (a caption's length is its number of bigrams), the code of
        github.com/tylin/coco-caption, which gives the same numbers.
    """

    def __init__(self, references: Iterable[Sequence[Caption]], *, remembered: int = 4096) -> None:
        frequencies: Counter[tuple[Token, ...]] = Counter()
        images = 0
        for captions in references:
            images += 1
            frequencies.update({gram for caption in captions for gram in _count(caption)})
        if not images:
            raise UserError("references", "those of at least one image", "none", "give captions")
        self._log_images = log(images)
        # Only what is frequent is kept: most n-grams occur with one image.
        self._log_frequencies: Mapping[tuple[Token, ...], float] = {
            gram: log(count) for gram, count in frequencies.items() if count > 1
        }
        self._weigh_references = lru_cache(remembered)(self._weigh_all)

    def score(
        self, candidates: Sequence[Caption], references: Sequence[Sequence[Caption]]
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The CIDEr-D of each candidate, `(candidates,)`, from 0 to 10.

        Args:
            candidates: the captions to judge, as tokens.
            references: the references of each one's image, at least one.

        Raises:
            UserError: there are not references for each candidate.
        """
        if len(candidates) != len(references) or not all(references):
            expected = f"at least one reference for each of {len(candidates)} candidates"
            got = f"{sum(map(bool, references))} candidates with references"
            raise UserError("references", expected, got, "give those of every candidate's image")
        scores = [
            self._score(self._weigh(tuple(candidate)), self._weigh_references(_frozen(captions)))
            for candidate, captions in zip(candidates, references, strict=True)
        ]
        return np.array(scores, np.float64)

    def _weigh_all(self, captions: tuple[tuple[Token, ...], ...]) -> list[_Weighed]:
        return [self._weigh(caption) for caption in captions]

    def _weigh(self, caption: tuple[Token, ...]) -> _Weighed:
        weights: list[dict[tuple[Token, ...], float]] = [{} for _ in range(_N)]
        for gram, count in _count(caption).items():
            rarity = self._log_images - self._log_frequencies.get(gram, 0.0)
            weights[len(gram) - 1][gram] = count * rarity
        norms = [sqrt(sum(weight * weight for weight in of_n.values())) for of_n in weights]
        return _Weighed(weights, norms, max(len(caption) - 1, 0))

    def _score(self, candidate: _Weighed, references: list[_Weighed]) -> float:
        total = 0.0
        for reference in references:
            similarity = 0.0
            for n in range(_N):
                norms = candidate.norms[n] * reference.norms[n]
                if norms:
                    similarity += _clipped(candidate.weights[n], reference.weights[n]) / norms
            longer = candidate.length - reference.length
            total += similarity * np.exp(-(longer**2) / (2 * _SIGMA**2))
        return float(10.0 * total / (_N * len(references)))


def _clipped(
    candidate: Mapping[tuple[Token, ...], float], reference: Mapping[tuple[Token, ...], float]
) -> float:
    """min(g(c), g(r)) · g(r)."""
    return sum(
        min(weight, reference[gram]) * reference[gram]
        for gram, weight in candidate.items()
        if gram in reference
    )


def _count(caption: Caption) -> Counter[tuple[Token, ...]]:
    """How often each n-gram occurs, n from 1 to 4."""
    tokens = tuple(caption)
    return Counter(
        tokens[start : start + n] for n in range(1, _N + 1) for start in range(len(tokens) - n + 1)
    )


def _frozen(captions: Sequence[Caption]) -> tuple[tuple[Token, ...], ...]:
    return tuple(tuple(caption) for caption in captions)
