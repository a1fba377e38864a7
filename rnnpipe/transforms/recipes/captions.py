"""How records of images with captions are made."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.specs import CAPTION, CAPTION_FEATURES, RecordSpec
from rnnpipe.sources.images.decoding import Fit, decode_image, encode_jpeg, read_bytes
from rnnpipe.sources.source import Reference
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import UNKNOWN
from rnnpipe.transforms.recipes.base import Counts, Encoded, Encoder, Outcome, Recipe, Tally
from rnnpipe.transforms.recipes.image_features import Features
from rnnpipe.transforms.recipes.tokenization import Tokenization, count_words, rate

_WORDS = "words"
_CAPTIONS = "captions"


class CaptionRecipe(Recipe):
    """How records of images with captions are made.

    Args:
        image_size: height and width of the stored images, in pixels.
        image_fit: how an image that is not square becomes square.
        jpeg_quality: quality of the stored images, from 1 to 95.
        text: how captions become tokens.
        max_tokens: where longer captions are cut, in tokens.
        min_count: how often a word must occur in training captions to count for the vocabulary.
        features: what makes a grid of features of each image, beside the stored image, if any.
    """

    image_size: int = 64
    image_fit: Fit = "stretch"
    jpeg_quality: int = 92
    text: Tokenization = field(default_factory=lambda: Tokenization("word", 10000))
    max_tokens: int = 20
    min_count: int = 1
    features: Features | None = None

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return CAPTION if self.features is None else CAPTION_FEATURES

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of the arguments."""
        return {**asdict(self), "features": self.features and self.features.settings}

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The words of the captions, and the captions as they are normalised."""
        normalize = self.text.normalizer
        for caption in reference.fields["captions"]:
            yield from count_words(normalize, _WORDS, caption)
            yield _CAPTIONS, normalize(caption)

    def learn(self, counts: Counts, folder: Path) -> "CaptionEncoder":
        """The tokenizer, which is saved in `folder`.

        Raises:
            UserError: no word occurs often enough, or the backbone cannot be made.
        """
        if self.features is not None:
            _ = self.features.shape  # what is wrong with it shows here, before the work begins
        words = counts[_WORDS]
        frequent = {word: count for word, count in words.items() if count >= self.min_count}
        if words and not frequent:
            most = max(words.values())
            expected = f"a word that occurs {self.min_count} times in training captions"
            got = f"none: the most frequent one occurs {most} times"
            raise UserError("data.caption.min_count", expected, got, "lower the threshold")
        tokenizer = self.text.train(frequent)
        tokenizer.save(folder)
        if self.features is not None:
            return FeatureCaptionEncoder(self, tokenizer, self.features)
        return CaptionEncoder(self, tokenizer)

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """Running and distinct words, and the most frequent caption: a baseline needs it."""
        words = Tally({w: n for w, n in counts[_WORDS].items() if n >= self.min_count})
        captions = counts[_CAPTIONS]
        return {
            **self.text.summarise({_WORDS: words}, {_WORDS: _CAPTIONS}),
            "distinct_captions": captions.distinct,
            "most_frequent_caption": min(captions, key=lambda c: (-captions[c], c), default=""),
        }

    def rate(self, totals: Mapping[str, int]) -> Mapping[str, float]:
        """The shares of tokens that are cut, and that are unknown."""
        return rate("caption_tokens", totals)


@dataclass(frozen=True, slots=True)
class CaptionEncoder(Encoder):
    """Makes records of references.

    Args:
        recipe: how.
        tokenizer: cuts the captions.
    """

    recipe: CaptionRecipe
    tokenizer: Tokenizer

    def encode(self, reference: Reference) -> Encoded:
        """The record of one image.

        Raises:
            BadRecord: the image cannot be read or decoded, or no caption has a token.
        """
        return self._encode(reference, read_bytes(reference.fields["image"]))

    def _encode(self, reference: Reference, file: bytes) -> Encoded:
        """The record of an image whose file has these bytes."""
        fields, recipe = reference.fields, self.recipe
        pairs = [(text, self.tokenizer.encode(text)) for text in fields["captions"]]
        pairs = [(text, tokens) for text, tokens in pairs if tokens]
        if not pairs:
            raise BadRecord("read captions", "no token is left of any")
        image = decode_image(file, recipe.image_size, recipe.image_fit)
        values = {
            "image_id": fields["image_id"],
            "image_jpeg": encode_jpeg(image, recipe.jpeg_quality),
            "captions": [text for text, _ in pairs],
            "caption_tokens": [tokens[: recipe.max_tokens] for _, tokens in pairs],
            "scene": fields["scene"],
        }
        lengths = [len(tokens) for _, tokens in pairs]
        measures = {
            "captions": len(pairs),
            "caption_tokens": sum(lengths),
            "caption_tokens_cut": sum(max(n - recipe.max_tokens, 0) for n in lengths),
            "caption_tokens_unknown": sum(tokens.count(UNKNOWN) for _, tokens in pairs),
            "longest_caption": max(lengths),
        }
        return Encoded(values, measures)


@dataclass(frozen=True, slots=True)
class FeatureCaptionEncoder(CaptionEncoder):
    """Makes records with features; images go through the backbone in batches.

    Args:
        recipe: how.
        tokenizer: cuts the captions.
        features: the backbone.
    """

    features: Features

    def encode(self, reference: Reference) -> Encoded:
        """The record of one image, with what the backbone is to see in the place of its features.

        Raises:
            BadRecord: as of `CaptionEncoder.encode`, at either size.
        """
        file = read_bytes(reference.fields["image"])
        encoded = self._encode(reference, file)
        pixels = decode_image(file, self.features.image_size, self.recipe.image_fit)
        values = {**encoded.values, "image_features": np.asarray(pixels)}
        return replace(encoded, values=values)

    def encode_all(self, references: Iterable[Reference]) -> Iterator[tuple[Reference, Outcome]]:
        """The records of a shard's images; a batch is in memory at a time."""
        remaining = iter(references)
        while batch := list(islice(remaining, self.features.batch_size)):
            outcomes = list(super(FeatureCaptionEncoder, self).encode_all(batch))
            good = [outcome for _, outcome in outcomes if isinstance(outcome, Encoded)]
            pixels = np.array([outcome.values["image_features"] for outcome in good], np.uint8)
            side = self.features.image_size
            grids = iter(self.features(pixels.reshape(-1, side, side, 3)))
            for reference, outcome in outcomes:
                if isinstance(outcome, Encoded):
                    values = {**outcome.values, "image_features": next(grids)}
                    yield reference, replace(outcome, values=values)
                else:
                    yield reference, outcome
