"""Word alignments of a text and its translation, in Pharaoh format, and as links of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rnnpipe.errors import BadRecord
from rnnpipe.text.tokenizer import Tokenizer

_SPACE = "▁"
_LINK = re.compile(r"([0-9]{1,6})-([0-9]{1,6})")
_STEP = "read alignment"


def word_places(tokenizer: Tokenizer, text: str) -> Iterator[int]:
    """Which word of the normalised text each token belongs to, from 0.

    Example:
        >>> from rnnpipe.text.tokenizer import train_tokenizer
        >>> tokenizer = train_tokenizer({"low": 5, "er": 3}, kind="char", vocabulary=12)
        >>> list(word_places(tokenizer, "er low"))
        [0, 0, 0, 1, 1, 1, 1]
    """
    place = -1
    for piece in tokenizer.split(text):
        place += piece.startswith(_SPACE)
        yield max(place, 0)


def parse_links(text: str) -> list[tuple[int, int]]:
    """The links of a line in Pharaoh format: the numbers of a source and of a target word.

    Raises:
        BadRecord: it is no such line.

    Example:
        >>> parse_links("0-0 2-1")
        [(0, 0), (2, 1)]
    """
    links = []
    for word in text.split():
        match = _LINK.fullmatch(word)
        if match is None:
            raise BadRecord(_STEP, f"no link of two words such as 0-0: {word[:40]!r}")
        links.append((int(match[1]), int(match[2])))
    return links


def align_tokens(
    links: list[tuple[int, int]],
    source: tuple[Tokenizer, str],
    target: tuple[Tokenizer, str],
    max_tokens: int,
) -> list[tuple[int, int]]:
    """The links of tokens: each token of a word has all the links of the word.

    Args:
        links: of words, which white space separates in the raw texts.
        source: the tokenizer, and the raw text.
        target: the same of the other side.
        max_tokens: of either side; further tokens have no links.

    Raises:
        BadRecord: a text has no such word, or its words are joined when it is normalised.
    """
    sides = [_tokens_of_words(*side, max_tokens) for side in (source, target)]
    pairs = []
    for link in links:
        for place, (name, words) in enumerate(zip(("source", "target"), sides, strict=True)):
            if link[place] >= len(words):
                reason = f"no word {link[place]} in the {name} text of {len(words)} words"
                raise BadRecord(_STEP, reason)
        pairs += [(s, t) for s in sides[0][link[0]] for t in sides[1][link[1]]]
    return sorted(set(pairs))


def _tokens_of_words(tokenizer: Tokenizer, text: str, max_tokens: int) -> list[list[int]]:
    """The positions of the tokens of each word of a raw text."""
    raw, normalizer = text.split(), tokenizer.normalizer
    words = [place for place, word in enumerate(raw) for _ in normalizer(word).split()]
    if len(words) != len(normalizer(text).split()):
        raise BadRecord(_STEP, "normalising the text joins or drops words that are aligned")
    tokens: list[list[int]] = [[] for _ in raw]
    for position, place in enumerate(word_places(tokenizer, text)):
        if position < max_tokens:
            tokens[words[place]].append(position)
    return tokens
