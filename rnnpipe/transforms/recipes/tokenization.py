"""What the recipes of all text records share: normalise, count words, learn tokens, cut."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from rnnpipe.errors import BadRecord
from rnnpipe.sources.source import Reference
from rnnpipe.text.normalize import Normalizer
from rnnpipe.text.tokenizer import Tokenizer, TokenizerKind, train_tokenizer
from rnnpipe.text.tokens import UNKNOWN
from rnnpipe.transforms.recipes.base import Counts, Dropped, Encoded, Encoder, Outcome

_SPECIAL = 4
_BATCH = 64  # texts that wait in memory while they are encoded; each may have 1 MiB


@dataclass(frozen=True, slots=True)
class Tokenization:
    """How text becomes tokens.

    Args:
        tokenizer: what a token is.
        vocabulary: how many tokens there are at most, the four special ones included.
        form: the Unicode form; NFKC also folds what only looks different.
        lowercase: whether capital letters become small ones.
        split_punctuation: whether punctuation is set apart from words; `None` does so for the
            tokenizer `word` alone: the others find punctuation themselves, and what they decode to
            is then the very text that they were given, normalised.
        drop_tags: whether HTML's tags are dropped.
        mark_joins: whether punctuation that is set apart says what it touched, so that what is
            decoded is the normalised text all the same.
    """

    tokenizer: TokenizerKind = "word"
    vocabulary: int = 20000
    form: Literal["NFC", "NFKC"] = "NFKC"
    lowercase: bool = True
    split_punctuation: bool | None = None
    drop_tags: bool = False
    mark_joins: bool = False

    @property
    def normalizer(self) -> Normalizer:
        """What text goes through first."""
        split = self.split_punctuation
        return Normalizer(
            form=self.form,
            lowercase=self.lowercase,
            split_punctuation=self.tokenizer == "word" if split is None else split,
            drop_tags=self.drop_tags,
            mark_joins=self.mark_joins,
        )

    def train(self, counts: Mapping[str, int]) -> Tokenizer:
        """A tokenizer learnt from how often each word occurs.

        Raises:
            UserError: there are no words.
        """
        return train_tokenizer(
            counts, kind=self.tokenizer, vocabulary=self.vocabulary, normalizer=self.normalizer
        )

    def summarise(self, counts: Counts, names: Mapping[str, str]) -> dict[str, Any]:
        """What `stats.json` keeps of words that were counted.

        Args:
            counts: of all that was counted.
            names: what `stats.json` calls each of the counters of words.
        """
        summary = {}
        for counter, name in names.items():
            words = counts[counter]
            known = sum(sorted(words.values(), reverse=True)[: self.vocabulary - _SPECIAL])
            summary[name] = {
                "running": words.total(),
                "distinct": words.distinct,
                "coverage": known / max(words.total(), 1),
            }
        return {"words": summary}


class TextEncoder(Encoder):
    """An encoder whose texts become tokens in batches."""

    @abstractmethod
    def tokenize(self, references: Sequence[Reference]) -> Iterable[Any]:
        """The tokens of each reference, for `make`."""

    @abstractmethod
    def make(self, reference: Reference, tokens: Any) -> Encoded:
        """The record of a reference with these tokens.

        Raises:
            BadRecord: it cannot be encoded.
            Dropped: the recipe leaves such records out.
        """

    def encode(self, reference: Reference) -> Encoded:
        """The record of one reference; see `make`."""
        (tokens,) = self.tokenize([reference])
        return self.make(reference, tokens)

    def encode_all(self, references: Iterable[Reference]) -> Iterator[tuple[Reference, Outcome]]:
        """The outcome of each reference of a shard, in order; holds one batch in memory."""
        remaining = iter(references)
        while batch := list(islice(remaining, _BATCH)):
            for reference, tokens in zip(batch, self.tokenize(batch), strict=True):
                try:
                    yield reference, self.make(reference, tokens)
                except (BadRecord, Dropped) as fault:
                    yield reference, fault


def count_words(normalizer: Normalizer, name: str, text: str) -> Iterator[tuple[str, str]]:
    """The words of a text, for a recipe's counter of that name."""
    for word in normalizer(text).split():
        yield name, word


def measure(name: str, tokens: list[int], limit: int) -> dict[str, int]:
    """How long a text is, how much of it is cut, and how much unknown, in tokens."""
    return {
        name: len(tokens),
        f"{name}_cut": max(len(tokens) - limit, 0),
        f"{name}_unknown": tokens.count(UNKNOWN),
    }


def rate(name: str, totals: Mapping[str, int]) -> dict[str, float]:
    """Which share of all tokens is cut, and which unknown, of the sums of `measure`."""
    return {
        f"{name}_{what}": totals[f"{name}_{what}"] / max(totals[name], 1)
        for what in ("cut", "unknown")
    }
