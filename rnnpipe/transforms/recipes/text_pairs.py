"""How records of texts and their translations are made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.records.specs import TEXT_PAIR, RecordSpec
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.fields import group_of
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.base import Counts, Dropped, Drops, Encoded, Recipe
from rnnpipe.transforms.recipes.tokenization import (
    TextEncoder,
    Tokenization,
    count_words,
    measure,
    rate,
)

_SIDES = (SOURCE, TARGET)
_PAIR = "pair"


class TextPairRecipe(Recipe):
    """How records of texts and their translations are made.

    A pair of which a side is longer than `max_tokens` is dropped from the training split: half of
    a sentence is no translation of the other. In the other splits it stays, its tokens cut, so
    that scores are of all that the raw data holds; the raw text is always whole.

    Args:
        text: how both sides become tokens.
        joint: whether one tokenizer is learnt from both sides, or one from each.
        max_tokens: the most tokens of either side.
        drop_duplicates: leave out training pairs that occur before in training.
        drop_leaks: leave out training pairs whose source text also occurs in another split.
    """

    text: Tokenization = field(default_factory=lambda: Tokenization("bpe", 8000, mark_joins=True))
    joint: bool = True
    max_tokens: int = 100
    drop_duplicates: bool = False
    drop_leaks: bool = False

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return TEXT_PAIR

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of the arguments."""
        return asdict(self)

    @property
    def drops(self) -> Drops:
        """Duplicates by both sides, leaks by the source."""
        return Drops(
            duplicates_of=_PAIR if self.drop_duplicates else None,
            leaks_of=SOURCE if self.drop_leaks else None,
        )

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
        if self.joint:
            both = self.text.train(counts[SOURCE] + counts[TARGET])
            tokenizers = dict.fromkeys(_SIDES, both)
        else:
            tokenizers = {side: self.text.train(counts[side]) for side in _SIDES}
        for side, tokenizer in tokenizers.items():
            (folder / side).mkdir()
            tokenizer.save(folder / side)
        return TextPairEncoder(self.max_tokens, tokenizers)

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """How many words each side has, and whether one tokenizer is for both."""
        return {**self.text.summarise(counts, {s: s for s in _SIDES}), "joint": self.joint}

    def rate(self, totals: Mapping[str, int]) -> Mapping[str, float]:
        """The shares of tokens of each side that were cut, and that are unknown."""
        return {k: v for side in _SIDES for k, v in rate(f"{side}_tokens", totals).items()}


@dataclass(frozen=True, slots=True)
class TextPairEncoder(TextEncoder):
    """Makes records of references.

    Args:
        max_tokens: the most tokens of either side.
        tokenizers: of `source` and `target`.
    """

    max_tokens: int
    tokenizers: Mapping[str, Tokenizer]

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
            BadRecord: a side has no token.
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
        return Encoded(values, measures)
