"""How records of images with classes are made."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.layout import LABELS
from rnnpipe.records.specs import IMAGE_CLASS, IMAGE_CLASS_FEATURES, RecordSpec
from rnnpipe.settings import Settings, setting
from rnnpipe.sources.images.decoding import decode_image, read_bytes
from rnnpipe.sources.images.source import ImageClassSource
from rnnpipe.sources.source import Reference
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Encoded, Encoder, Outcome, Recipe
from rnnpipe.transforms.recipes.feature_batches import fill_features
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.recipes.labels import learn_labels, save_labels

_LABELS = "labels"


class ImageClassRecordOptions(Settings):
    """How records of images with classes are made."""

    image: ImageOptions = ImageOptions()
    features: FeatureOptions | None = setting(
        None, "features of each image, stored beside it; null: the model reads images"
    )


class ImageClassRecipe(ImageClassRecordOptions, Recipe):
    """How records of images with classes are made.

    The classes are those of the training split, in the order of their names (numbers by value); an
    image of another class in another split is a dead letter.
    """

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return IMAGE_CLASS if self.features is None else IMAGE_CLASS_FEATURES

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of the settings."""
        return {"image": asdict(self.image), "features": self.features and self.features.settings}

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The class."""
        yield _LABELS, reference.fields["label"]

    def learn(self, counts: Counts, folder: Path) -> "ImageClassEncoder":
        """The classes, which are saved in `folder`.

        Raises:
            UserError: there is only one, or the backbone cannot be made.
        """
        features = self.features and self.features.for_workers()
        if features is not None:
            _ = features.shape  # what is wrong with it shows here, before the work begins
        labels = learn_labels(counts[_LABELS])
        if len(labels) < 2:
            got, fix = ", ".join(labels), "check data.source"
            raise UserError("data.source", "images of two classes or more", f"only {got}", fix)
        save_labels(folder / LABELS, labels)
        ids = {label: number for number, label in enumerate(labels)}
        if features is not None:
            return FeatureImageClassEncoder(self, ids, features)
        return ImageClassEncoder(self, ids)

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """How often each class occurs in training."""
        return {"training_labels": dict(sorted(counts[_LABELS].items()))}


@dataclass(frozen=True, slots=True)
class ImageClassEncoder(Encoder):
    """Makes records of references.

    Args:
        recipe: how.
        label_ids: the number of each class by its name.
    """

    recipe: ImageClassRecipe
    label_ids: Mapping[str, int]

    def encode(self, reference: Reference) -> Encoded:
        """The record of one image.

        Raises:
            BadRecord: the image cannot be read, or has a class that training never shows.
        """
        return self._encode(reference, read_bytes(reference.fields["image"]))

    def _encode(self, reference: Reference, file: bytes) -> Encoded:
        """The record of an image whose file has these bytes."""
        image, label = self.recipe.image, reference.fields["label"]
        if label not in self.label_ids:
            raise BadRecord("encode label", f"the training split has no {label!r}")
        values = {
            "image_name": reference.key,
            "image_jpeg": image.encode(image.decode(file)),
            "label": self.label_ids[label],
        }
        return Encoded(values, {"label": self.label_ids[label]})


@dataclass(frozen=True, slots=True)
class FeatureImageClassEncoder(ImageClassEncoder):
    """Makes records with features; images go through the backbone in batches.

    Args:
        recipe: how.
        label_ids: the number of each class by its name.
        features: the backbone.
    """

    features: FeatureOptions

    def encode(self, reference: Reference) -> Encoded:
        """The record of one image, with the backbone's pixels in the place of its features.

        Raises:
            BadRecord: as of `ImageClassEncoder.encode`, at either size.
        """
        file = read_bytes(reference.fields["image"])
        encoded = self._encode(reference, file)
        pixels = decode_image(file, self.features.image_size, self.recipe.image.fit)
        values = {**encoded.values, "image_features": np.asarray(pixels)}
        return replace(encoded, values=values)

    def encode_all(self, references: Iterable[Reference]) -> Iterator[tuple[Reference, Outcome]]:
        """The records of a shard's images; a batch is in memory at a time."""
        outcomes = super(FeatureImageClassEncoder, self).encode_all(references)
        return fill_features(self.features, outcomes)


class ImageClassData(ImageClassRecordOptions, Data):
    """Images with classes and what is made of them."""

    recipe = ImageClassRecipe

    source: ImageClassSource
