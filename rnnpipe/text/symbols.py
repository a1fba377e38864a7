"""Text as the symbols of a stream, and back without loss: characters, or words and line breaks."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.storage.json_files import read_json_as
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN

SymbolKind = Literal["char", "word"]

SYMBOLS_FILE = "symbols.json"

_SPECIAL = len({PAD, UNKNOWN, START, END})
_SPECIAL_PIECES = ("<pad>", "<unk>", "<s>", "</s>")
_WORD = re.compile(r"\n|[^\s]+")
_UNKNOWN_TEXT = {"char": "\ufffd", "word": "<unk>"}


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

    kind: SymbolKind
    symbols: list[str]


class Symbols:
    """A vocabulary of characters or of words, in which nothing of a text is made uniform.

    The first ids are those of `rnnpipe.text.tokens`; what is not in the vocabulary is `UNKNOWN`.

    Args:
        kind: what a symbol is: a character, or a word or line break.
        symbols: the vocabulary, in the order of its ids.

    Example:
        >>> symbols = Symbols("char", "helo")
        >>> symbols.encode("hello!"), symbols.decode([4, 5, 6, 6, 7])
        ([4, 5, 6, 6, 7, 1], 'hello')
    """

    def __init__(self, kind: SymbolKind, symbols: Iterable[str]) -> None:
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

    def encode(self, text: str) -> list[int]:
        """The ids of a text's symbols."""
        ids = self._ids
        return [ids.get(symbol, UNKNOWN) for symbol in split_symbols(text, self.kind)]

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
            return cls(content.kind, content.symbols)
        except (OSError, ValueError) as error:
            got = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            expected = f"the symbols of a stream ({SYMBOLS_FILE})"
            raise UserError(str(folder), expected, got, "build the records again") from error


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
