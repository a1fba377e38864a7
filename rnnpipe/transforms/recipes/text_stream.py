"""How records of long texts are made: spans of a document, as token ids, in their order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.specs import TEXT_STREAM, RecordSpec
from rnnpipe.settings import FilePath, Settings, setting
from rnnpipe.sources.raw_files import hash_content
from rnnpipe.sources.source import Reference, Source
from rnnpipe.sources.streams.source import StreamSource
from rnnpipe.sources.streams.spans import SpanFields, read_span
from rnnpipe.storage.paths import hash_file
from rnnpipe.text.symbols import (
    SymbolKind,
    Symbols,
    TokenizedLines,
    VocabularyKind,
    learn_symbols,
    split_symbols,
)
from rnnpipe.text.tokenizer import MODEL_FILE, SETTINGS_FILE, Tokenizer
from rnnpipe.text.tokens import UNKNOWN
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Encoded, Encoder, Recipe

_SYMBOLS, _FAULTS = "symbols", "faults"


class StreamRecordOptions(Settings):
    """How records of long texts are made."""

    symbols: SymbolKind = setting("char", "what the model predicts: characters, or words")
    vocabulary: int = setting(256, "symbols at most, four special ones included", ge=5)
    tokenizer: FilePath | None = setting(
        None,
        "the folder of a tokenizer, or of a run that has one: each line is then a text of its own "
        "in these tokens, with an end, for evaluate.search.language_model; null: symbols",
    )

    def check(self) -> None:
        """Tokens are those of the tokenizer alone."""
        if self.tokenizer is not None:
            for name in ("symbols", "vocabulary"):
                self.require_default(name, "with a tokenizer")

    @property
    def kind(self) -> VocabularyKind:
        """What the model predicts."""
        return self.symbols if self.tokenizer is None else "token"


class StreamRecipe(StreamRecordOptions, Recipe):
    """How records of long texts are made.

    A document's spans have its name as group: they share a split and a shard, and lie there in
    their order.
    """

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return TEXT_STREAM

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the records depend on: a tokenizer counts by its content."""
        return {**super().settings, "tokenizer": _hash_tokenizer(self.tokenizer)}

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The words of a span; of its characters each once, as they are few and frequent."""
        try:
            found = split_symbols(_read(reference), self.symbols)
        except BadRecord as bad:
            yield _FAULTS, str(bad)  # it becomes a dead letter where it would be written
            return
        for symbol in sorted(set(found)) if self.symbols == "char" else found:
            yield _SYMBOLS, symbol

    def learn(self, counts: Counts, folder: Path) -> "StreamEncoder":
        """The vocabulary, which is saved in `folder`.

        Raises:
            UserError: there is no text to learn from.
        """
        if _SYMBOLS not in counts and (faults := counts.get(_FAULTS)):
            got = f"none, but {faults.total():,} bad spans, the first: {min(faults)}"
            fix = "correct data.source.encoding or the files"
            raise UserError("data.source", "text to train on", got, fix)
        symbols = learn_symbols(counts.get(_SYMBOLS, {}), self.symbols, self.vocabulary)
        if self.tokenizer is not None:
            symbols = TokenizedLines(Tokenizer.load(_find_tokenizer(self.tokenizer)))
        symbols.save(folder)
        return StreamEncoder(symbols)

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """How many distinct symbols there are."""
        return {"distinct_symbols": len(counts[_SYMBOLS])}

    def rate(self, totals: Mapping[str, int]) -> Mapping[str, float]:
        """The share of the tokens that are unknown."""
        return {"tokens_unknown": totals["tokens_unknown"] / max(totals["tokens"], 1)}


@dataclass(frozen=True, slots=True)
class StreamEncoder(Encoder):
    """Makes records of references.

    Args:
        symbols: the vocabulary.
    """

    symbols: Symbols

    def encode(self, reference: Reference) -> Encoded:
        """The record of one span.

        Raises:
            BadRecord: it cannot be read, or is no text in its encoding.
        """
        text = _read(reference)
        tokens = self.symbols.encode(text)
        values = {
            "document": reference.fields["document"],
            "number": reference.fields["number"],
            "text": text,
            "tokens": tokens,
        }
        measures = {
            "characters": len(text),
            "tokens": len(tokens),
            "tokens_unknown": tokens.count(UNKNOWN),
        }
        # Documents that begin with the same kilobytes are one: to hash their ends as well would
        # take all of their spans.
        is_first = not reference.fields["number"]
        contents = {"document": hash_content(text.encode())} if is_first else {}
        return Encoded(values, measures, contents)


class StreamData(StreamRecordOptions, Data):
    """A long text and what is made of it."""

    recipe = StreamRecipe
    source: StreamSource

    def open_source(self) -> Source:
        """The raw data; the end of a single document is held out by position."""
        return self.source.hold_out(self.splits.shares)


def _find_tokenizer(folder: Path) -> Path:
    """The folder of a tokenizer: this one, or the vocabulary of the run in it.

    Raises:
        UserError: there is none.
    """
    for place in (folder, folder / "vocabulary"):
        if (place / SETTINGS_FILE).is_file():
            return place
    expected = f"a folder with a tokenizer ({SETTINGS_FILE}, {MODEL_FILE}), or that of a run"
    got = "a folder without one" if folder.is_dir() else "no such folder"
    fix = "name that of one run, e.g. runs/speech/TIME, or of its records"
    raise UserError(f"data.tokenizer {folder}", expected, got, fix)


def _hash_tokenizer(folder: Path | None) -> dict[str, str] | None:
    """What identifies a tokenizer."""
    if folder is None:
        return None
    found, fix = _find_tokenizer(folder), "name the folder of a tokenizer"
    return {
        name: hash_file(found / name, "data.tokenizer", fix) for name in (SETTINGS_FILE, MODEL_FILE)
    }


def _read(reference: Reference) -> str:
    return read_span(cast(SpanFields, reference.fields))
