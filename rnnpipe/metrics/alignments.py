"""How well alignments agree with given ones."""

from collections.abc import Iterable

Links = Iterable[tuple[int, int]]


def alignment_error_rate(found: Iterable[Links], given: Iterable[Links]) -> float:
    """The alignment error rate of sentences, with sure links alone.

        AER = 1 − 2 |A ∩ S| / (|A| + |S|)

    Args:
        found: A, the links that are found in each sentence.
        given: S, the true ones.

    Returns:
        From 0, all links are true and found, to 1; 0 without any link.

    Example:
        >>> round(alignment_error_rate([[(0, 0), (1, 2)]], [[(0, 0), (1, 1), (2, 2)]]), 3)
        0.6

    Source: Och and Ney, A Systematic Comparison of Various Statistical Alignment Models, 2003.
    """
    both = total = 0
    for links, true in zip(map(set, found), map(set, given), strict=True):
        both += len(links & true)
        total += len(links) + len(true)
    return 1 - 2 * both / total if total else 0.0
