"""When words are said, from the frames of their tokens."""

from collections.abc import Sequence
from typing import Any, NamedTuple

SPACE = "▁"
"""What the pieces of a tokenizer have in the place of the space before a word."""


class WordTime(NamedTuple):
    """A word and when it is said.

    Args:
        word: the word.
        start: where its first token begins, in seconds.
        end: where its last token ends, in seconds.
    """

    word: str
    start: float
    end: float


def word_times(
    pieces: Sequence[str], spans: Sequence[Sequence[Any]], frame_seconds: float
) -> list[WordTime]:
    """The words of some tokens, with their times.

    Args:
        pieces: the tokens as text; one that begins with `▁` begins a word, and a `▁` alone, the
            space between characters, belongs to none.
        spans: the first frame of each token and the one after its last, `(tokens, 2)`, as
            `ctc_align` and `ctc_greedy_search` return them.
        frame_seconds: how long a frame of the logits is: the hop of the features times the factor
            by which the network makes sequences shorter.

    Example:
        >>> word_times(["▁", "h", "i", "▁you"], [[0, 1], [2, 3], [3, 5], [8, 9]], 0.5)
        [WordTime(word='hi', start=1.0, end=2.5), WordTime(word='you', start=4.0, end=4.5)]
    """
    words: list[WordTime] = []
    is_open = False
    for piece, (start, end) in zip(pieces, spans, strict=True):
        text = piece.removeprefix(SPACE)
        is_open = is_open and text == piece
        if not text:
            continue
        stop = float(end * frame_seconds)
        if is_open:
            words[-1] = WordTime(words[-1].word + text, words[-1].start, stop)
        else:
            words.append(WordTime(text, float(start * frame_seconds), stop))
        is_open = True
    return words
