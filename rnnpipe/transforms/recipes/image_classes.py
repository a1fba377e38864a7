"""How records of images with classes are made."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.records.layout import LABELS
from rnnpipe.records.specs import IMAGE_CLASS, RecordSpec
from rnnpipe.sources.images.decoding import Fit, encode_jpeg, read_image
from rnnpipe.sources.source import Reference
from rnnpipe.transforms.recipes.base import Counts, Encoded, Encoder, Recipe
from rnnpipe.transforms.recipes.labels import learn_labels, save_labels

_LABELS = "labels"


class ImageClassRecipe(Recipe):
    """How records of images with classes are made.

    The classes are those of the training split, in the order of their names (numbers by value); an
    image of another class in another split is a dead letter.

    Args:
        size: height and width of the stored images, in pixels.
        fit: how an image that is not square becomes square.
        jpeg_quality: quality of the stored images, from 1 to 95.
    """

    size: int = 64
    fit: Fit = "stretch"
    jpeg_quality: int = 92

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return IMAGE_CLASS

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of the arguments."""
        return asdict(self)

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The class."""
        yield _LABELS, reference.fields["label"]

    def learn(self, counts: Counts, folder: Path) -> "ImageClassEncoder":
        """The classes, which are saved in `folder`.

        Raises:
            UserError: there is only one.
        """
        labels = learn_labels(counts[_LABELS])
        if len(labels) < 2:
            got, fix = ", ".join(labels), "check data.source"
            raise UserError("data.source", "images of two classes or more", f"only {got}", fix)
        save_labels(folder / LABELS, labels)
        return ImageClassEncoder(self, {label: i for i, label in enumerate(labels)})

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
        recipe, label = self.recipe, reference.fields["label"]
        if label not in self.label_ids:
            raise BadRecord("encode label", f"the training split has no {label!r}")
        image = read_image(reference.fields["image"], recipe.size, recipe.fit)
        values = {
            "image_name": reference.key,
            "image_jpeg": encode_jpeg(image, recipe.jpeg_quality),
            "label": self.label_ids[label],
        }
        return Encoded(values, {"label": self.label_ids[label]})
