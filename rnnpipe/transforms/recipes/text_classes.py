"""How records of texts with classes are made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord
from rnnpipe.records.layout import LABELS
from rnnpipe.records.specs import TEXT_CLASS, RecordSpec
from rnnpipe.settings import Settings, setting
from rnnpipe.sources.labels import label_notices
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.source import TextClassSource
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Drops, Encoded, Recipe
from rnnpipe.transforms.recipes.labels import learn_labels, save_labels, too_few_labels
from rnnpipe.transforms.recipes.tokenization import (
    EmbeddedTextOptions,
    RepeatOptions,
    TextEncoder,
    count_words,
    measure,
    rate,
)

_WORDS, _LABELS = "words", "labels"
_TEXT = "text"


class ClassTextOptions(EmbeddedTextOptions):
    """How texts with classes become tokens."""

    keep: Literal["start", "end"] = setting("start", "which part is kept of a text that is cut")


class TextClassRecordOptions(Settings):
    """How records of texts with classes are made."""

    text: ClassTextOptions = ClassTextOptions()
    repeats: RepeatOptions = RepeatOptions()


class TextClassRecipe(TextClassRecordOptions, Recipe):
    """How records of texts with classes are made.

    The classes are those of the training split, in the order of their names (numbers by value); a
    text of another class in another split is a dead letter.
    """

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return TEXT_CLASS

    @property
    def drops(self) -> Drops:
        """By the whole text."""
        return self.repeats.drops(duplicates_of=_TEXT, leaks_of=_TEXT)

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
            raise too_few_labels("texts of two classes or more", labels)
        tokenizer = self.text.learn(counts[_WORDS], folder)
        save_labels(folder / LABELS, labels)
        return TextClassEncoder(self, tokenizer, {label: i for i, label in enumerate(labels)})

    def count_notices(self, counts: Counts) -> Sequence[str]:
        """Classes that may be one, or none."""
        return label_notices(counts[_LABELS])

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
            raise BadRecord("encode label", f"the training split has no {label!r:.100}")
        if not tokens:
            raise BadRecord("encode text", "no token is left of it")
        limit = self.recipe.text.max_tokens
        values = {
            "text_id": reference.key,
            "text": text,
            "tokens": tokens[:limit] if self.recipe.text.keep == "start" else tokens[-limit:],
            "label": self.label_ids[label],
        }
        measures = {**measure("tokens", tokens, limit), "label": self.label_ids[label]}
        return Encoded(values, measures)


class TextClassData(TextClassRecordOptions, Data):
    """Texts with classes, and what is made of them."""

    recipe = TextClassRecipe
    source: TextClassSource
