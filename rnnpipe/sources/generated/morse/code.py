"""The international Morse code."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

_CODES = """
a=.- b=-... c=-.-. d=-.. e=. f=..-. g=--. h=.... i=.. j=.--- k=-.- l=.-.. m=-- n=-. o=--- p=.--.
q=--.- r=.-. s=... t=- u=..- v=...- w=.-- x=-..- y=-.-- z=--..
0=----- 1=.---- 2=..--- 3=...-- 4=....- 5=..... 6=-.... 7=--... 8=---.. 9=----.
"""
MORSE: Mapping[str, str] = MappingProxyType(dict(code.split("=") for code in _CODES.split()))
"""The dots and dashes of each letter and digit."""

_UNITS = {".": 1, "-": 3}
_GAP, _LETTER_GAP, _WORD_GAP = 1, 3, 7


def morse_units(text: str) -> Iterator[tuple[int, int]]:
    """The marks of a text and the gaps after them, in units of a dot; no gap after the last.

    A dash has three units. So has the gap between letters, that within a letter has one, that
    between words seven.

    Args:
        text: words of letters and digits of `MORSE`, with a space between them.

    Example:
        >>> list(morse_units("et a"))
        [(1, 3), (3, 7), (1, 1), (3, 0)]

    Source: Recommendation ITU-R M.1677-1, International Morse code, 2009.
    """
    words = text.split(" ")
    for word_number, word in enumerate(words, start=1):
        for letter_number, letter in enumerate(word, start=1):
            code = MORSE[letter]
            for mark in code[:-1]:
                yield _UNITS[mark], _GAP
            if letter_number < len(word):
                yield _UNITS[code[-1]], _LETTER_GAP
            else:
                yield _UNITS[code[-1]], _WORD_GAP if word_number < len(words) else 0
