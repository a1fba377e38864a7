"""What the recipes of all text records share: normalise, count words, learn tokens, cut."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.settings import Settings, setting
from rnnpipe.sources.source import Reference
from rnnpipe.text.normalize import Normalizer
from rnnpipe.text.tokenizer import Tokenizer, TokenizerKind, train_tokenizer
from rnnpipe.text.tokens import UNKNOWN
from rnnpipe.transforms.recipes.base import (
    Counts,
    Dropped,
    Drops,
    Encoded,
    Encoder,
    Outcome,
)
from rnnpipe.transforms.recipes.word_vectors import WordVectorOptions

_SPECIAL = 4
_BATCH = 64  # texts that wait in memory while they are encoded; each may have 1 MiB


class NormalizeOptions(Settings):
    """What is made uniform before text is cut into tokens; the records keep the raw text too."""

    form: Literal["NFC", "NFKC"] = setting(
        "NFKC", "the Unicode form; NFKC also folds what only looks different"
    )
    lowercase: bool = setting(True, "whether capital letters become small ones")
    split_punctuation: bool | None = setting(
        None,
        "whether punctuation is set apart from words; null: for the tokenizer word alone, as the "
        "others find it themselves and decode to the text as it was",
    )
    drop_tags: bool = setting(False, "whether HTML's tags, e.g. <br />, are dropped")


class TextOptions(Settings):
    """How texts become tokens.

    Example:
        >>> words = TextOptions(vocabulary=8).train({"red": 3, "blue": 2})
        >>> words.encode("Red, green")
        [4, 1, 1]
    """

    mark_joins: ClassVar[bool] = False
    """Whether punctuation that is set apart is marked, so that tokens decode to the very text."""

    tokenizer: TokenizerKind = setting("word", "what a token is")
    vocabulary: int = setting(20000, "tokens at most, the four special ones included", ge=8)
    max_tokens: int = setting(400, "longer texts are cut", ge=1)
    normalize: NormalizeOptions = NormalizeOptions()

    @property
    def normalizer(self) -> Normalizer:
        """What text goes through first."""
        split = self.normalize.split_punctuation
        return Normalizer(
            form=self.normalize.form,
            lowercase=self.normalize.lowercase,
            split_punctuation=self.tokenizer == "word" if split is None else split,
            drop_tags=self.normalize.drop_tags,
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

    def learn(self, counts: Mapping[str, int], *folders: Path) -> Tokenizer:
        """A tokenizer, which is saved.

        Args:
            counts: how often each word occurs in the training texts.
            *folders: where to.

        Raises:
            UserError: there are no words.
        """
        tokenizer = self.train(counts)
        for folder in folders:
            tokenizer.save(folder)
        return tokenizer

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


class EmbeddedTextOptions(TextOptions):
    """How texts become tokens, whose embedding may begin with word vectors."""

    vectors: WordVectorOptions | None = setting(
        None, "what the embedding of the tokens begins with; null: random vectors"
    )

    def check(self) -> None:
        """Words have vectors; characters have none, and parts of words cannot join others."""
        if self.vectors is None:
            return
        if self.tokenizer == "char":
            expected, fix = "word, unigram or bpe, with vectors of words", "write word"
            raise UserError("tokenizer", expected, "char", fix)
        if self.tokenizer != "word" and self.vectors.words:
            expected, got = f"0 with the tokenizer {self.tokenizer}", str(self.vectors.words)
            raise UserError(
                "vectors.words", expected, got, "leave it out, or write tokenizer: word"
            )

    def train(self, counts: Mapping[str, int]) -> Tokenizer:
        """A tokenizer learnt from how often each word occurs, and of further words with vectors.

        Raises:
            UserError: there are no words, or the file of vectors cannot be read.
        """
        normalizer = self.normalizer
        return train_tokenizer(
            counts,
            kind=self.tokenizer,
            vocabulary=self.vocabulary,
            normalizer=normalizer,
            further=() if self.vectors is None else self.vectors.further_words(normalizer),
        )

    def learn(self, counts: Mapping[str, int], *folders: Path) -> Tokenizer:
        """A tokenizer, which is saved with the vectors that its tokens have.

        Raises:
            UserError: there are no words, or no vectors of them.
        """
        tokenizer = super().learn(counts, *folders)
        if self.vectors is not None:
            vectors = self.vectors.match(tokenizer, counts)
            for folder in folders:
                vectors.save(folder)
        return tokenizer


class RepeatOptions(Settings):
    """What becomes of texts that occur again; `stats.json` and a notice report them in any case."""

    duplicates: Literal["keep", "drop"] = setting(
        "keep", "the same record again in the training split"
    )
    leaks: Literal["keep", "drop"] = setting(
        "keep", "training texts that also occur in the validation or test split"
    )

    def drops(self, *, duplicates_of: str, leaks_of: str) -> Drops:
        """What the build leaves out.

        Args:
            duplicates_of: the identity that duplicates share.
            leaks_of: the identity that leaks share.
        """
        return Drops(
            duplicates_of=duplicates_of if self.duplicates == "drop" else None,
            leaks_of=leaks_of if self.leaks == "drop" else None,
        )


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
