"""How records of images with captions are made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.specs import CAPTION, CAPTION_FEATURES
from rnnpipe.settings import setting
from rnnpipe.sources.captions.source import CaptionSource
from rnnpipe.sources.source import Reference
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import UNKNOWN
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Encoded, Tally
from rnnpipe.transforms.recipes.feature_recipe import FeatureRecipe
from rnnpipe.transforms.recipes.image_records import ImageRecordEncoder, ImageRecordOptions
from rnnpipe.transforms.recipes.tokenization import EmbeddedTextOptions, count_words, rate

_WORDS = "words"
_CAPTIONS = "captions"


class CaptionTextOptions(EmbeddedTextOptions):
    """How captions become tokens."""

    min_count: int = setting(1, "how often a word must occur in training captions", ge=1)


class CaptionRecordOptions(ImageRecordOptions):
    """How records of images with captions are made."""

    caption: CaptionTextOptions = CaptionTextOptions(vocabulary=10000, max_tokens=20)


class CaptionRecipe(CaptionRecordOptions, FeatureRecipe):
    """How records of images with captions are made; each has an image and all of its captions."""

    specs = (CAPTION, CAPTION_FEATURES)

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The words of the captions, and the captions as they are normalised."""
        normalize = self.caption.normalizer
        for caption in reference.fields["captions"]:
            yield from count_words(normalize, _WORDS, caption)
            yield _CAPTIONS, normalize(caption)

    def learn(self, counts: Counts, folder: Path) -> "CaptionEncoder":
        """The tokenizer, which is saved in `folder`.

        Raises:
            UserError: no word occurs often enough, or the backbone cannot be made.
        """
        recipe = self.for_workers()
        words = counts[_WORDS]
        frequent = {word: count for word, count in words.items() if count >= self.caption.min_count}
        if words and not frequent:
            most = max(words.values())
            expected = f"a word that occurs {self.caption.min_count} times in training captions"
            got = f"none: the most frequent one occurs {most} times"
            raise UserError("data.caption.min_count", expected, got, "lower the threshold")
        tokenizer = self.caption.learn(frequent, folder)
        return CaptionEncoder(recipe, tokenizer)

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """Running and distinct words, and the most frequent caption: a baseline needs it."""
        words = Tally({w: n for w, n in counts[_WORDS].items() if n >= self.caption.min_count})
        captions = counts[_CAPTIONS]
        return {
            **self.caption.summarise({_WORDS: words}, {_WORDS: _CAPTIONS}),
            "distinct_captions": captions.distinct,
            "most_frequent_caption": min(captions, key=lambda c: (-captions[c], c), default=""),
        }

    def notices(self, split: str, totals: Mapping[str, int]) -> Sequence[str]:
        """How many captions are of no use."""
        left = totals["captions_left_out"]
        notice = f"{left:,} of {totals['captions'] + left:,} {split} captions are empty or no text"
        return [notice] if left else []

    def rate(self, totals: Mapping[str, int]) -> Mapping[str, float]:
        """The shares of tokens that are cut, and that are unknown."""
        return rate("caption_tokens", totals)


@dataclass(frozen=True)
class CaptionEncoder(ImageRecordEncoder):
    """Makes records of references.

    Args:
        recipe: how.
        tokenizer: cuts the captions.
    """

    recipe: CaptionRecipe
    tokenizer: Tokenizer

    def encode(self, reference: Reference) -> Encoded:
        """The record of one image; what `encode_all` makes features of has pixels in their place.

        Raises:
            BadRecord: the image cannot be read or decoded, or no caption has a token.
        """
        fields, longest = reference.fields, self.recipe.caption.max_tokens
        pairs = [(text, self.tokenizer.encode(text)) for text in fields["captions"]]
        pairs = [(text, tokens) for text, tokens in pairs if tokens]
        if not pairs:
            raise BadRecord("read captions", "no token is left of any")
        image = self.recipe.read_image(fields["image"])
        values = {
            "image_id": fields["image_id"],
            **image.values,
            "captions": [text for text, _ in pairs],
            "caption_tokens": [tokens[:longest] for _, tokens in pairs],
            "scene": fields["scene"],
        }
        lengths = [len(tokens) for _, tokens in pairs]
        measures = {
            "captions": len(pairs),
            "caption_tokens": sum(lengths),
            "caption_tokens_cut": sum(max(n - longest, 0) for n in lengths),
            "caption_tokens_unknown": sum(tokens.count(UNKNOWN) for _, tokens in pairs),
            "longest_caption": max(lengths),
            "captions_left_out": fields.get("left_out", 0) + len(fields["captions"]) - len(pairs),
        }
        return Encoded(values, measures, image.contents)


class CaptionData(CaptionRecordOptions, Data):
    """Images with captions, and what is made of them."""

    recipe = CaptionRecipe
    extras = ("captions",)

    source: CaptionSource
