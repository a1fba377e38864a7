"""Text made uniform by operations of TensorFlow, as `Normalizer` does in Python."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from rnnpipe.text.normalize import DROPPED, JOIN, REPLACED, TAG, Normalizer

_CHARACTERS = 0x110000
_OTHER, _SPACE, _DIGIT, _LETTER, _MARK = range(5)
_EDGE = " " * 3  # patterns look at most three characters to either side


def normalize_in_graph(texts: tf.Tensor, normalizer: Normalizer) -> tf.Tensor:
    """What a normaliser makes of each text, but for characters that one of the two does not know.

    TensorFlow and Python come with tables of different versions of Unicode. Capital letters of
    Unicode 14 stay capital letters here, and compatibility forms that are newer than Python's
    tables are folded.

    Args:
        texts: strings, `(batch,)`, in UTF-8; bytes that are none become U+FFFD.
        normalizer: what is to be done.

    Returns:
        Strings, `(batch,)`.
    """
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf_text.normalize_utf8(texts, normalizer.form)
    for replacement, characters in _group_replacements().items():
        texts = tf.strings.regex_replace(texts, _one_of(characters), replacement)
    if normalizer.lowercase:
        texts = tf.strings.lower(texts, "utf-8")
    texts = tf_text.normalize_utf8(texts, normalizer.form)
    if normalizer.drop_tags:
        texts = tf.strings.regex_replace(texts, TAG, " ")
    if normalizer.split_punctuation:
        texts = _set_marks_apart(texts, mark_joins=normalizer.mark_joins)
    return join_spaces(texts)


def join_spaces(texts: tf.Tensor) -> tf.Tensor:
    """Texts with single spaces in the place of white space, and none around them."""
    spaces = _one_of(map(chr, np.flatnonzero(_kinds() == _SPACE)))
    return tf.strings.strip(tf.strings.regex_replace(texts, f"{spaces}+", " "))


def _group_replacements() -> dict[str, str]:
    """The characters that are dropped, and those that become another one, by what they become."""
    groups: dict[str, str] = {"": DROPPED}
    for character, replacement in REPLACED.items():
        groups[replacement] = groups.get(replacement, "") + character
    return groups


def _one_of(characters: Iterable[str]) -> str:
    """An expression of RE2 for one of some characters."""
    return "[" + "".join(rf"\x{{{ord(character):x}}}" for character in characters) + "]"


@lru_cache(maxsize=1)
def _kinds() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The kind of each character, as Python's regular expressions tell them apart."""
    kinds = np.full(_CHARACTERS, _OTHER, "uint8")
    for number in range(_CHARACTERS):
        character = chr(number)
        if character.isspace():
            kinds[number] = _SPACE
        elif character.isdecimal():
            kinds[number] = _DIGIT
        elif character.isalnum():
            kinds[number] = _LETTER
        elif unicodedata.category(character)[0] in "PS":
            kinds[number] = _MARK
    return kinds


def _find_kinds(characters: tf.Tensor) -> tf.Tensor:
    """The kinds of characters, from a table of where the kind changes."""
    kinds = _kinds()
    starts = np.concatenate([[0], 1 + np.flatnonzero(np.diff(kinds))])
    places = tf.searchsorted(tf.constant(starts, "int32"), characters, side="right") - 1
    return tf.gather(tf.constant(kinds[starts]), places)


def _set_marks_apart(texts: tf.Tensor, *, mark_joins: bool) -> tf.Tensor:
    """Texts with spaces around each mark that is not part of a word, number or abbreviation."""
    texts = tf.strings.join([_EDGE, texts, _EDGE])
    ragged = tf.strings.unicode_decode(texts, "UTF-8")
    characters = ragged.values  # of all texts: the edges keep them apart
    kinds = _find_kinds(characters)
    apart = (kinds == _MARK) & ~_is_within(characters, kinds)
    pieces = tf.strings.unicode_encode(characters[:, None], "UTF-8")
    left, right = " ", " "
    if mark_joins:
        before, after = _shift(kinds, -1), _shift(kinds, 1)
        left = tf.where(before != _SPACE, f" {JOIN}", " ")
        right = tf.where((after != _SPACE) & (after != _MARK), f"{JOIN} ", " ")
    pieces = tf.where(apart, tf.strings.join([left, pieces, right]), pieces)
    return tf.strings.unsorted_segment_join(pieces, ragged.value_rowids(), tf.size(texts))


def _is_within(characters: tf.Tensor, kinds: tf.Tensor) -> tf.Tensor:
    """Which marks stay where they are: in *u.s.*, *3.5*, *2:50*, *what's* and *t-shirt*.

    The patterns are those of `rnnpipe.text.normalize`, which are looked for without look-arounds.
    """
    letter, digit = kinds == _LETTER, kinds == _DIGIT
    word = letter | digit
    dot = characters == ord(".")
    start = letter & ~_shift(word, -1) & ~_shift(dot, -1)
    link = letter & _shift(dot, -1) & _shift(letter, -2)
    chain = _follow(start, link)  # the letters of abbreviations
    end = chain & link & ~(_shift(dot, 1) & _shift(letter, 2))
    cut = end & _shift(word, 1)  # the beginning of a word, which is no part of the abbreviation
    inner = dot & _shift(chain, -1) & _shift(chain & link & ~cut, 1)
    last = dot & _shift(end, -1) & ~_shift(word, 1)
    in_number = _equals_any(characters, ".,:") & _shift(digit, -1) & _shift(digit, 1)
    in_word = _equals_any(characters, "'-") & _shift(word, -1) & _shift(word, 1)
    return inner | last | in_number | in_word


def _follow(start: tf.Tensor, link: tf.Tensor) -> tf.Tensor:
    """The starts, and the links that a row of links leads to, two characters from each other."""
    chain, _ = tf.while_loop(
        lambda chain, grows: grows,
        lambda chain, grows: _extend(chain, link),
        [start, tf.reduce_any(start)],
    )
    return chain


def _extend(chain: tf.Tensor, link: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    longer = chain | (link & _shift(chain, -2))
    return longer, tf.reduce_any(longer != chain)


def _shift(values: tf.Tensor, places: int) -> tf.Tensor:
    """The value so many characters further on, for each character."""
    return tf.roll(values, -places, 0)


def _equals_any(characters: tf.Tensor, text: str) -> tf.Tensor:
    return tf.reduce_any([characters == ord(character) for character in text], axis=0)
