"""How records of texts and their translations are made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.records.specs import ALIGNED_TEXT_PAIR, TEXT_PAIR, RecordSpec
from rnnpipe.settings import Settings, setting
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.fields import group_of
from rnnpipe.sources.text.source import TextPairSource
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.word_alignment import align_tokens, parse_links
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Dropped, Drops, Encoded, Recipe
from rnnpipe.transforms.recipes.tokenization import (
    EmbeddedTextOptions,
    RepeatOptions,
    TextEncoder,
    count_words,
    measure,
    rate,
)
from rnnpipe.transforms.recipes.word_vectors import WordVectorOptions

_SIDES = (SOURCE, TARGET)
_PAIR = "pair"


class PairTextOptions(EmbeddedTextOptions):
    """How both sides of a pair become tokens.

    Pairs with a side of more than `max_tokens` are dropped from the training split, and cut in the
    others.
    """

    mark_joins = True  # a translation becomes text again

    joint: bool = setting(True, "one vocabulary of both languages, or one of each")
    target_vectors: WordVectorOptions | None = setting(
        None, "the vectors of the target language, where each has a vocabulary of its own"
    )

    def check(self) -> None:
        """A joint vocabulary has one file of vectors."""
        super().check()
        if self.joint:
            self.require_default("target_vectors", "with a joint vocabulary")

    def of_side(self, side: str) -> EmbeddedTextOptions:
        """The options of one side that has a vocabulary of its own."""
        return self if side == SOURCE else replace(self, vectors=self.target_vectors)


class TextPairRecordOptions(Settings):
    """How records of texts and their translations are made."""

    text: PairTextOptions = PairTextOptions(tokenizer="bpe", vocabulary=8000, max_tokens=100)
    repeats: RepeatOptions = RepeatOptions()


class TextPairRecipe(TextPairRecordOptions, Recipe):
    """How records of texts and their translations are made.

    A pair of which a side is longer than `text.max_tokens` is dropped from the training split: half
    of a sentence is no translation of the other. In the other splits it stays, its tokens cut, so
    that scores are of all that the raw data holds; the raw text is always whole.
    """

    alignments: bool = setting(False, "whether the pairs have word alignments, which are kept")

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return ALIGNED_TEXT_PAIR if self.alignments else TEXT_PAIR

    @property
    def drops(self) -> Drops:
        """Duplicates by both sides, leaks by the source."""
        return self.repeats.drops(duplicates_of=_PAIR, leaks_of=SOURCE)

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The words of both sides."""
        normalizer = self.text.normalizer
        for side in _SIDES:
            yield from count_words(normalizer, side, reference.fields[side])

    def identities(self, reference: Reference) -> Mapping[str, str]:
        """Either side, and both."""
        source, target = reference.group, group_of(reference.fields[TARGET])
        return {_PAIR: source + target, SOURCE: source, TARGET: target}

    def learn(self, counts: Counts, folder: Path) -> "TextPairEncoder":
        """The tokenizers, saved in the folders `source` and `target`; a joint one in both.

        Raises:
            UserError: there are no words.
        """
        folders = {side: folder / side for side in _SIDES}
        for each in folders.values():
            each.mkdir()
        if self.text.joint:
            both = self.text.learn(counts[SOURCE] + counts[TARGET], *folders.values())
            tokenizers = dict.fromkeys(_SIDES, both)
        else:
            tokenizers = {
                side: self.text.of_side(side).learn(counts[side], folders[side]) for side in _SIDES
            }
        return TextPairEncoder(self.text.max_tokens, tokenizers, self.alignments)

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """How many words each side has, and whether one tokenizer is for both."""
        return {**self.text.summarise(counts, {s: s for s in _SIDES}), "joint": self.text.joint}

    def rate(self, totals: Mapping[str, int]) -> Mapping[str, float]:
        """The shares of tokens of each side that were cut, and that are unknown."""
        return {k: v for side in _SIDES for k, v in rate(f"{side}_tokens", totals).items()}


@dataclass(frozen=True, slots=True)
class TextPairEncoder(TextEncoder):
    """Makes records of references.

    Args:
        max_tokens: the most tokens of either side.
        tokenizers: of `source` and `target`.
        alignments: whether the pairs have word alignments.
    """

    max_tokens: int
    tokenizers: Mapping[str, Tokenizer]
    alignments: bool = False

    def tokenize(self, references: Sequence[Reference]) -> Iterator[tuple[list[int], ...]]:
        """The tokens of both sides of each pair."""
        encoded = [
            self.tokenizers[side].encode_batch(reference.fields[side] for reference in references)
            for side in _SIDES
        ]
        return zip(*encoded, strict=True)

    def make(self, reference: Reference, tokens: Sequence[list[int]]) -> Encoded:
        """The record of one pair.

        Raises:
            BadRecord: a side has no token, or the alignment is malformed.
            Dropped: it is a training pair that is too long.
        """
        values: dict[str, Any] = {"pair_id": reference.key}
        measures: dict[str, int] = {}
        for side, ids in zip(_SIDES, tokens, strict=True):
            if not ids:
                raise BadRecord("encode text", f"no token is left of the {side} text")
            if len(ids) > self.max_tokens and reference.split == "train":
                raise Dropped(f"a training pair of more than {self.max_tokens} tokens")
            values[side] = reference.fields[side]
            values[f"{side}_tokens"] = ids[: self.max_tokens]
            measures |= measure(f"{side}_tokens", ids, self.max_tokens)
        if self.alignments:
            values["links"] = self._align(reference)
        return Encoded(values, measures)

    def _align(self, reference: Reference) -> list[int]:
        source, target = [(self.tokenizers[side], reference.fields[side]) for side in _SIDES]
        links = parse_links(reference.fields["alignment"])
        pairs = align_tokens(links, source, target, self.max_tokens)
        return [position + 1 for pair in pairs for position in pair]


class TextPairData(TextPairRecordOptions, Data):
    """Texts with their translations, and what is made of them."""

    recipe = TextPairRecipe
    source: TextPairSource

    @property
    def alignments(self) -> bool:
        """Whether the source has word alignments."""
        return self.source.has_alignments
