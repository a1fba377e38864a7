"""Raw text made uniform before words are counted or cut into tokens."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

_DROPPED = "\u00ad\u200e\u200f\ufeff" + "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x2070)])
)
_SPACES = "\u200b\u2581" + "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
_CHARACTERS = str.maketrans(
    dict.fromkeys(_DROPPED)
    | dict.fromkeys(_SPACES, " ")
    | dict.fromkeys("‘’", "'")
    | dict.fromkeys("“”", '"')
    | dict.fromkeys("\u2010\u2011", "-")
    | dict.fromkeys(map(chr, range(0xD800, 0xE000)), "\ufffd")
)

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_LETTER, _WORD = r"[^\W\d_]", r"[^\W_]"
_KEPT_OR_MARK = re.compile(
    rf"(?<!{_WORD})(?<!\.){_LETTER}(?:\.{_LETTER})+(?!{_WORD})\.?(?!{_WORD})"  # u.s., e.g., p.m
    r"|\d+(?:[.,:]\d+)+"  # 3.5, 1,000, 2:50
    rf"|(?<={_WORD})['-](?={_WORD})"  # what's, t-shirt
    r"|([^\w\s]|_)"
)


@dataclass(frozen=True, slots=True)
class Normalizer:
    """Makes raw text uniform; what it gives stays as it is when it is normalised again.

    Control characters, line breaks and odd kinds of white space become single spaces; characters
    that show nothing, such as soft hyphens and byte order marks, are dropped. Curly quotes and
    apostrophes become plain ones.

    Punctuation and symbols are set apart by spaces, one by one, except inside of a word or
    number: *what's*, *o'clock*, *t-shirt*, *u.s.*, *3.5*, *1,000* and *2:50* stay whole. A
    contraction is thus one word, in whatever language.

    Args:
        form: the Unicode form; NFKC also folds what only looks different (`ﬁ`, `２`).
        lowercase: whether capital letters become small ones.
        split_punctuation: whether punctuation is set apart from words.
        drop_tags: whether HTML's tags, such as `<br />`, become spaces.

    Example:
        >>> Normalizer()("What’s  on the U.S. flag?")
        "what's on the u.s. flag ?"
    """

    form: Literal["NFC", "NFKC"] = "NFKC"
    lowercase: bool = True
    split_punctuation: bool = True
    drop_tags: bool = False

    def __call__(self, text: str) -> str:
        """The text made uniform; its words are joined by single spaces."""
        if not text.isascii():
            text = unicodedata.normalize(self.form, text)
        text = text.translate(_CHARACTERS)
        if self.lowercase:
            text = text.lower()
        if not text.isascii():
            # What was dropped or lowered may have left a letter beside an accent.
            text = unicodedata.normalize(self.form, text)
        if self.drop_tags:
            text = _TAG.sub(" ", text)
        if self.split_punctuation:
            text = _KEPT_OR_MARK.sub(_set_apart, text)
        return " ".join(text.split())


def _set_apart(match: re.Match[str]) -> str:
    # `\w` knows neither the vowel signs of many scripts nor joiners: they stay in their word.
    mark = match[1]
    return f" {mark} " if mark and unicodedata.category(mark)[0] in "PS" else match[0]
