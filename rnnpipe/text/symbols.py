"""Text as the symbols of a stream, and back: characters, words and line breaks, or tokens."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.storage.json_files import read_json_as
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN

SymbolKind = Literal["char", "word"]
VocabularyKind = Literal[SymbolKind, "token"]

SYMBOLS_FILE = "symbols.json"

_SPECIAL = len({PAD, UNKNOWN, START, END})
_SPECIAL_PIECES = ("<pad>", "<unk>", "<s>", "</s>")
_WORD = re.compile(r"\n|[^\s]+")
_UNKNOWN_TEXT = {"char": "\ufffd", "word": "<unk>", "token": " <unk>"}


def split_symbols(text: str, kind: SymbolKind) -> list[str]:
    r"""The symbols of a text: its characters, or its words and line breaks.

    Example:
        >>> split_symbols("To be,\nor", "char")[:3], split_symbols("To be,\nor", "word")
        (['T', 'o', ' '], ['To', 'be,', '\n', 'or'])
    """
    return list(text) if kind == "char" else _WORD.findall(text)


@dataclass(frozen=True)
class _Content:
    """What the file of symbols holds."""

    kind: VocabularyKind
    symbols: list[str]


class Symbols:
    """A vocabulary of characters or of words, in which nothing of a text is made uniform.

    The first ids are those of `rnnpipe.text.tokens`; what is not in the vocabulary is `UNKNOWN`.

    Args:
        kind: what a symbol is: a character, or a word or line break; see `TokenizedLines` for
            tokens.
        symbols: the vocabulary, in the order of its ids.

    Example:
        >>> symbols = Symbols("char", "helo")
        >>> symbols.encode("hello!"), symbols.decode([4, 5, 6, 6, 7])
        ([4, 5, 6, 6, 7, 1], 'hello')
    """

    def __init__(self, kind: VocabularyKind, symbols: Iterable[str]) -> None:
        self.kind, self.symbols = kind, tuple(symbols)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols, start=_SPECIAL)}

    @property
    def size(self) -> int:
        """How many ids there are, the special ones included."""
        return _SPECIAL + len(self.symbols)

    @property
    def pieces(self) -> list[str]:
        """The token of every id, written as those of a `Tokenizer` are.

        Example:
            >>> Symbols("word", ["red"]).pieces
            ['<pad>', '<unk>', '<s>', '</s>', '▁red']
        """
        if self.kind == "char":
            return [*_SPECIAL_PIECES, *(symbol.replace(" ", "▁") for symbol in self.symbols)]
        return [*_SPECIAL_PIECES, *(f"▁{symbol}" for symbol in self.symbols)]

    def split(self, text: str) -> list[str]:
        """The symbols that `encode` gives the ids of, as text."""
        return split_symbols(text, "char" if self.kind == "char" else "word")

    def encode(self, text: str) -> list[int]:
        """The ids of a text's symbols."""
        ids = self._ids
        return [ids.get(symbol, UNKNOWN) for symbol in self.split(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; padding, start and end are left out."""
        return "".join(self.stream(ids))

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of ids, a piece for each as it comes; words are set apart by spaces."""
        spaced = False
        for number in map(int, ids):
            text = self.text_of(number)
            words = self.kind == "word" and text not in ("", "\n")
            yield f" {text}" if spaced and words else text
            spaced = words or (spaced and not text)

    def text_of(self, number: int) -> str:
        """What a single id stands for; nothing for padding, start and end."""
        if number >= _SPECIAL:
            return self.symbols[number - _SPECIAL]
        return _UNKNOWN_TEXT[self.kind] if number == UNKNOWN else ""

    def save(self, folder: Path) -> None:
        """Writes `symbols.json` into a folder."""
        content = {"kind": self.kind, "symbols": self.symbols}
        (folder / SYMBOLS_FILE).write_text(
            json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path) -> "Symbols":
        """Reads what `save` wrote.

        Raises:
            UserError: there is no such file in the folder, or it is damaged.
        """
        try:
            content = read_json_as(_Content, folder / SYMBOLS_FILE)
            if content.kind == "token":
                return TokenizedLines(Tokenizer.load(folder))
            return Symbols(content.kind, content.symbols)
        except (OSError, ValueError) as error:
            got = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            expected = f"the symbols of a stream ({SYMBOLS_FILE})"
            raise UserError(str(folder), expected, got, "build the records again") from error


class TokenizedLines(Symbols):
    r"""The tokens of a tokenizer as symbols, of texts of one line each, which `END` ends.

    Lines are normalised as the tokenizer does it, and empty ones are left out.

    Args:
        tokenizer: the tokenizer.

    Example:
        >>> from rnnpipe.text.tokenizer import train_tokenizer
        >>> words = train_tokenizer({"red": 3, "blue": 2}, kind="word", vocabulary=8)
        >>> lines = TokenizedLines(words)
        >>> lines.encode("Red blue\n\nblue\n"), lines.decode([4, 5, 3, 5, 3])
        ([4, 5, 3, 5, 3], 'red blue\nblue\n')
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__("token", tokenizer.pieces[_SPECIAL:])
        self.tokenizer = tokenizer

    @property
    def pieces(self) -> list[str]:
        """The token of every id."""
        return self.tokenizer.pieces

    def split(self, text: str) -> list[str]:
        """The tokens that `encode` gives the ids of, as text."""
        *lines, last = map(self.tokenizer.split, text.split("\n"))
        return [piece for line in lines if line for piece in (*line, _SPECIAL_PIECES[END])] + last

    def encode(self, text: str) -> list[int]:
        """The ids of the tokens of each line, and of its end: that of the last line is a line feed.

        What does not end is a line that goes on.
        """
        *lines, last = self.tokenizer.encode_batch(text.split("\n"))
        return [token for line in lines if line for token in (*line, END)] + last

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of ids, a piece for each as it comes."""
        begins = True
        for number in map(int, ids):
            text = self.text_of(number)
            yield text.removeprefix(" ") if begins else text
            begins = number == END or (begins and text in ("", " "))

    def text_of(self, number: int) -> str:
        """What a single id stands for; nothing for padding and start."""
        if number >= _SPECIAL:
            return self.symbols[number - _SPECIAL].replace("▁", " ")
        return "\n" if number == END else super().text_of(number)

    def save(self, folder: Path) -> None:
        """Writes `symbols.json` and the tokenizer into a folder."""
        super().save(folder)
        self.tokenizer.save(folder)


def learn_symbols(counts: Mapping[str, int], kind: SymbolKind, vocabulary: int) -> Symbols:
    """The most frequent symbols, those that are equally frequent in their own order.

    Args:
        counts: how often each symbol occurs.
        kind: what a symbol is.
        vocabulary: how many ids there are at most, the four special ones included.

    Raises:
        UserError: there is nothing to learn from, or no room.
    """
    if vocabulary <= _SPECIAL:
        expected = f"more than {_SPECIAL} ids, of which {_SPECIAL} are special"
        raise UserError("vocabulary", expected, str(vocabulary), "write e.g. 256")
    if not counts:
        fix = "check that the training split holds text"
        raise UserError("vocabulary", "at least one symbol to learn from", "none", fix)
    ranked = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))
    return Symbols(kind, ranked[: vocabulary - _SPECIAL])
