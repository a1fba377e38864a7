"""Translations that need no model: what a score is worth is seen beside theirs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product

from rnnpipe.text.tokens import UNKNOWN


class WordByWord:
    """Each token replaced by the one that goes with it best, in the order of the source.

    How well two tokens go together is Dice's coefficient of the pairs that they occur in,

        2 · n(s, t) / (n(s) + n(t))

    Args:
        pairs: the tokens of sources and targets to learn from.

    Example:
        >>> pairs = [([4, 5], [7, 8]), ([4, 6], [7, 9]), ([5], [8])]
        >>> WordByWord(pairs)([5, 4, 6])
        [8, 7, 9]

    Source: Smadja, McKeown & Hatzivassiloglou, Translating Collocations for Bilingual Lexicons,
    1996, section 3.
    """

    def __init__(self, pairs: Iterable[tuple[Sequence[int], Sequence[int]]]) -> None:
        together: Counter[tuple[int, int]] = Counter()
        of_source: Counter[int] = Counter()
        of_target: Counter[int] = Counter()
        for source, target in pairs:
            sources, targets = set(source), set(target)
            together.update(product(sources, targets))
            of_source.update(sources)
            of_target.update(targets)
        # For each source token the best comes last, of equals the target's lowest id.
        ranked = sorted(
            (2 * count / (of_source[source] + of_target[target]), -target, source)
            for (source, target), count in together.items()
        )
        self._best = {source: -negative for _, negative, source in ranked}

    def __call__(self, source: Sequence[int]) -> list[int]:
        """The translation of a source; tokens that training never met become the unknown one."""
        return [self._best.get(int(token), UNKNOWN) for token in source]
