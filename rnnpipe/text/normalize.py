"""Raw text made uniform before words are counted or cut into tokens."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from rnnpipe.storage.json_files import EXACT

DROPPED = "\u00ad\u200e\u200f\ufeff" + "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x2070)])
)
"""The characters that show nothing and are dropped."""

_SPACES = "\u200b\u2581" + "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))

REPLACED = (
    dict.fromkeys(_SPACES, " ")
    | dict.fromkeys("‘’", "'")
    | dict.fromkeys("“”", '"')
    | dict.fromkeys("\u2010\u2011", "-")
)
"""The characters that become another one."""

_SURROGATES = dict.fromkeys(map(chr, range(0xD800, 0xE000)), "\ufffd")
_CHARACTERS = str.maketrans(dict.fromkeys(DROPPED) | REPLACED | _SURROGATES)

JOIN = "\u2060"
"""Unicode's word joiner, which shows nothing and which no normalised text has of its own."""

TAG = r"</?[a-zA-Z][^<>]*>"
"""A tag of HTML, as a regular expression of Python and of RE2."""

_TAG = re.compile(TAG)
_LETTER, _WORD = r"[^\W\d_]", r"[^\W_]"
_KEPT_OR_MARK = re.compile(
    rf"(?<!{_WORD})(?<!\.){_LETTER}(?:\.{_LETTER})+(?!{_WORD})\.?(?!{_WORD})"  # u.s., e.g., p.m
    r"|(?<!\d)\d++(?:[.,:]\d+)+"  # 3.5, 1,000, 2:50; tried once for each row of digits
    rf"|(?<={_WORD})['-](?={_WORD})"  # what's, t-shirt
    r"|([^\w\s]|_)"
)
_JOINED = re.compile(f" ?{JOIN} ?")


@dataclass(frozen=True, slots=True)
class Normalizer:
    """Makes raw text uniform; what it gives stays as it is when it is normalised again.

    Control characters, line breaks and odd kinds of white space become single spaces; characters
    that show nothing, such as soft hyphens and byte order marks, are dropped. Curly quotes and
    apostrophes become plain ones.

    Punctuation and symbols are set apart by spaces, one by one, except inside of a word or
    number: *what's*, *o'clock*, *t-shirt*, *u.s.*, *3.5*, *1,000* and *2:50* stay whole. A
    contraction is thus one word, in whatever language.

    With `mark_joins` a mark that touched its neighbour says so with a `JOIN` on that side, so that
    `join` gives back the text exactly, in whatever language: *a dog.* becomes *a*, *dog*
    and a point that has one. Between two marks the second one has it.

    Args:
        form: the Unicode form; NFKC also folds what only looks different (`ﬁ`, `２`).
        lowercase: whether capital letters become small ones.
        split_punctuation: whether punctuation is set apart from words.
        drop_tags: whether HTML's tags, such as `<br />`, become spaces.
        mark_joins: whether marks that are set apart say what they touched. What is normal is then
            no longer the same when it is normalised again.

    Example:
        >>> Normalizer()("What’s  on the U.S. flag?")
        "what's on the u.s. flag ?"
        >>> marked = Normalizer(mark_joins=True)
        >>> marked("(a dog) !").replace(JOIN, "~"), marked.join(marked("(a dog) !"))
        ('(~ a dog ~) !', '(a dog) !')

    Source: the joiners of OpenNMT's tokenizer, https://github.com/OpenNMT/Tokenizer.
    """

    __pydantic_config__ = EXACT  # a setting of a later version is not passed over

    form: Literal["NFC", "NFKC"] = "NFKC"
    lowercase: bool = True
    split_punctuation: bool = True
    drop_tags: bool = False
    mark_joins: bool = False

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
            text = _KEPT_OR_MARK.sub(_set_apart_marked if self.mark_joins else _set_apart, text)
        return " ".join(text.split())

    def join(self, text: str) -> str:
        """The text before marks that touched their neighbours were set apart."""
        return _JOINED.sub("", text) if self.mark_joins else text


def _set_apart(match: re.Match[str]) -> str:
    mark = match[1]
    return f" {mark} " if mark and _is_mark(mark) else match[0]


def _set_apart_marked(match: re.Match[str]) -> str:
    mark = match[1]
    if not mark or not _is_mark(mark):
        return match[0]
    before = match.string[max(match.start() - 1, 0) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    left = JOIN if before.strip() else ""
    right = JOIN if after.strip() and not _is_mark(after) else ""
    return f" {left}{mark}{right} "


def _is_mark(character: str) -> bool:
    # `\w` knows neither the vowel signs of many scripts nor joiners: they stay in their word.
    return unicodedata.category(character)[0] in "PS" and not character.isalnum()
