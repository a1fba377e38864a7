"""How records of images with classes are made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord
from rnnpipe.records.layout import LABELS
from rnnpipe.records.specs import IMAGE_CLASS, IMAGE_CLASS_FEATURES
from rnnpipe.sources.images.source import ImageClassSource
from rnnpipe.sources.labels import label_notices
from rnnpipe.sources.source import Reference
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Encoded
from rnnpipe.transforms.recipes.feature_recipe import FeatureRecipe
from rnnpipe.transforms.recipes.image_records import ImageRecordEncoder, ImageRecordOptions
from rnnpipe.transforms.recipes.labels import learn_labels, save_labels, too_few_labels

_LABELS = "labels"


class ImageClassRecipe(ImageRecordOptions, FeatureRecipe):
    """How records of images with classes are made.

    The classes are those of the training split, in the order of their names (numbers by value); an
    image of another class in another split is a dead letter.
    """

    specs = (IMAGE_CLASS, IMAGE_CLASS_FEATURES)

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The class."""
        yield _LABELS, reference.fields["label"]

    def learn(self, counts: Counts, folder: Path) -> "ImageClassEncoder":
        """The classes, which are saved in `folder`.

        Raises:
            UserError: there is only one, or the backbone cannot be made.
        """
        recipe = self.for_workers()
        labels = learn_labels(counts[_LABELS])
        if len(labels) < 2:
            raise too_few_labels("images of two classes or more", labels)
        save_labels(folder / LABELS, labels)
        return ImageClassEncoder(recipe, {label: number for number, label in enumerate(labels)})

    def count_notices(self, counts: Counts) -> Sequence[str]:
        """Classes that may be one, or none."""
        return label_notices(counts[_LABELS])

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """How often each class occurs in training."""
        return {"training_labels": dict(sorted(counts[_LABELS].items()))}


@dataclass(frozen=True)
class ImageClassEncoder(ImageRecordEncoder):
    """Makes records of references.

    Args:
        recipe: how.
        label_ids: the number of each class by its name.
    """

    recipe: ImageClassRecipe
    label_ids: Mapping[str, int]

    def encode(self, reference: Reference) -> Encoded:
        """The record of an image; what `encode_all` makes features of has pixels in their place.

        Raises:
            BadRecord: the image cannot be read, or has a class that training never shows.
        """
        label = reference.fields["label"]
        if label not in self.label_ids:
            raise BadRecord("encode label", f"the training split has no {label!r}")
        image = self.recipe.read_image(reference.fields["image"])
        values = {
            "image_name": reference.key,
            **image.values,
            "label": self.label_ids[label],
        }
        return Encoded(values, {"label": self.label_ids[label]}, image.contents)


class ImageClassData(ImageRecordOptions, Data):
    """Images with classes and what is made of them."""

    recipe = ImageClassRecipe

    source: ImageClassSource
