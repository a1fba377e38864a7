"""How records of texts with classes are made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.layout import LABELS
from rnnpipe.records.specs import TEXT_CLASS, RecordSpec
from rnnpipe.sources.source import Reference
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.base import Counts, Drops, Encoded, Recipe
from rnnpipe.transforms.recipes.labels import learn_labels, save_labels
from rnnpipe.transforms.recipes.tokenization import (
    TextEncoder,
    Tokenization,
    count_words,
    measure,
    rate,
)

_WORDS, _LABELS = "words", "labels"
_TEXT = "text"


class TextClassRecipe(Recipe):
    """How records of texts with classes are made.

    The classes are those of the training split, in the order of their names (numbers by value); a
    text of another class in another split is a dead letter.

    Args:
        text: how texts become tokens.
        max_tokens: where longer texts are cut, in tokens.
        keep: which part of such a text is kept, its `start` or its `end`.
        drop_duplicates: leave out training texts that occur before in training.
        drop_leaks: leave out training texts that also occur in another split.
    """

    text: Tokenization = field(default_factory=Tokenization)
    max_tokens: int = 400
    keep: Literal["start", "end"] = "start"
    drop_duplicates: bool = False
    drop_leaks: bool = False

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return TEXT_CLASS

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of the arguments."""
        return asdict(self)

    @property
    def drops(self) -> Drops:
        """By the whole text."""
        return Drops(
            duplicates_of=_TEXT if self.drop_duplicates else None,
            leaks_of=_TEXT if self.drop_leaks else None,
        )

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The words of the text, and its class."""
        yield _LABELS, reference.fields["label"]
        yield from count_words(self.text.normalizer, _WORDS, reference.fields["text"])

    def identities(self, reference: Reference) -> Mapping[str, str]:
        """The text."""
        return {_TEXT: reference.group}

    def learn(self, counts: Counts, folder: Path) -> "TextClassEncoder":
        """The tokenizer and the classes; both are saved in `folder`.

        Raises:
            UserError: there is only one class.
        """
        labels = learn_labels(counts[_LABELS])
        if len(labels) < 2:
            got, fix = ", ".join(labels), "check data.source"
            raise UserError("data.source", "texts of two classes or more", f"only {got}", fix)
        tokenizer = self.text.train(counts[_WORDS])
        tokenizer.save(folder)
        save_labels(folder / LABELS, labels)
        return TextClassEncoder(self, tokenizer, {label: i for i, label in enumerate(labels)})

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """How many words there are, and how often each class occurs in training."""
        labels = {label: counts[_LABELS][label] for label in sorted(counts[_LABELS])}
        return {**self.text.summarise(counts, {_WORDS: "text"}), "training_labels": labels}

    def rate(self, totals: Mapping[str, int]) -> Mapping[str, float]:
        """The shares of tokens that were cut, and that are unknown."""
        return rate("tokens", totals)


@dataclass(frozen=True, slots=True)
class TextClassEncoder(TextEncoder):
    """Makes records of references.

    Args:
        recipe: how.
        tokenizer: cuts the texts.
        label_ids: the number of each class by its name.
    """

    recipe: TextClassRecipe
    tokenizer: Tokenizer
    label_ids: Mapping[str, int]

    def tokenize(self, references: Sequence[Reference]) -> list[list[int]]:
        """The tokens of each text."""
        return self.tokenizer.encode_batch(reference.fields["text"] for reference in references)

    def make(self, reference: Reference, tokens: list[int]) -> Encoded:
        """The record of one text.

        Raises:
            BadRecord: the text has no token, or a class that training never shows.
        """
        text, label = reference.fields["text"], reference.fields["label"]
        if label not in self.label_ids:
            raise BadRecord("encode label", f"the training split has no {label!r}")
        if not tokens:
            raise BadRecord("encode text", "no token is left of it")
        limit = self.recipe.max_tokens
        values = {
            "text_id": reference.key,
            "text": text,
            "tokens": tokens[:limit] if self.recipe.keep == "start" else tokens[-limit:],
            "label": self.label_ids[label],
        }
        measures = {**measure("tokens", tokens, limit), "label": self.label_ids[label]}
        return Encoded(values, measures)
