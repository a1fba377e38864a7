"""What the recipes of all records with an image share: the stored image, and features beside it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

from rnnpipe.settings import Settings, setting
from rnnpipe.sources.raw_files import hash_content
from rnnpipe.sources.source import Reference
from rnnpipe.transforms.recipes.base import Encoded, Encoder, Outcome
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from rnnpipe.transforms.recipes.images import ImageOptions


class ImageRecordOptions(Settings):
    """How the image of a record is stored, and its features beside it."""

    image: ImageOptions = ImageOptions()
    features: FeatureOptions | None = setting(
        None, "features computed once, by the workers; null: none, the model sees the images"
    )

    def for_workers(self) -> Self:
        """The same in whatever folder a worker runs; what is wrong with the backbone shows here.

        Raises:
            UserError: the backbone cannot be made.
        """
        features = self.features and self.features.for_workers()
        if features is not None:
            _ = features.shape
        return replace(self, features=features)

    def read_image(self, path: str) -> "StoredImage":
        """An image file, as its record stores it.

        Raises:
            BadRecord: the image cannot be read or decoded, at either size.
        """
        return _read_image(path, self.image, self._backbone_size)

    def store_image(self, data: bytes) -> "StoredImage":
        """The bytes of an image file, as their record stores them.

        Raises:
            BadRecord: the image cannot be decoded, at either size.
        """
        return _store_image(data, self.image, self._backbone_size)

    @property
    def _backbone_size(self) -> int | None:
        return None if self.features is None else self.features.image_size


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What records keep of an image.

    Args:
        values: the field `image_jpeg`; with features also `image_features`, as pixels, in whose
            place `ImageRecordEncoder` puts the features.
        contents: see `Encoded`.
    """

    values: Mapping[str, Any]
    contents: Mapping[str, str]


# The records of an image follow each other, so the last image is kept.
@lru_cache(maxsize=1)
def _read_image(path: str, image: ImageOptions, backbone_size: int | None) -> StoredImage:
    from rnnpipe.sources.images.decoding import read_bytes

    return _store_image(read_bytes(path), image, backbone_size)


def _store_image(data: bytes, image: ImageOptions, backbone_size: int | None) -> StoredImage:
    import numpy as np

    from rnnpipe.sources.images.decoding import decode_image

    values: dict[str, Any] = {"image_jpeg": image.encode(image.decode(data))}
    if backbone_size is not None:
        pixels = decode_image(data, backbone_size, image.fit)
        values["image_features"] = np.asarray(pixels)
    return StoredImage(values, {"image": hash_content(data)})


class ImageRecordEncoder(Encoder):
    """An encoder that leaves `image_features` to `encode_all`.

    Attributes:
        recipe: the recipe, with the features if there are any.
    """

    recipe: ImageRecordOptions

    def encode_all(self, references: Iterable[Reference]) -> Iterator[tuple[Reference, Outcome]]:
        """The outcomes of a shard; images go through the backbone in batches, each image once."""
        outcomes, features = super().encode_all(references), self.recipe.features
        return outcomes if features is None else _fill_features(outcomes, features)


def _fill_features(
    outcomes: Iterable[tuple[Reference, Outcome]], features: FeatureOptions
) -> Iterator[tuple[Reference, Outcome]]:
    """Puts features in the place of the pixels that the field `image_features` holds.

    Args:
        outcomes: of references with the field `image`; those of one image follow each other.
        features: the features; the outcomes of one batch of images are in memory at a time.
    """
    import numpy as np

    for batch in _batch_images(outcomes, features.batch_size):
        pixels = {
            reference.fields["image"]: outcome.values["image_features"]
            for reference, outcome in batch
            if isinstance(outcome, Encoded)
        }
        side = features.image_size
        images = np.array(list(pixels.values()), np.uint8).reshape(-1, side, side, 3)
        grids = dict(zip(pixels, features(images), strict=True))
        for reference, outcome in batch:
            if isinstance(outcome, Encoded):
                grid = grids[reference.fields["image"]]
                values = {**outcome.values, "image_features": grid}
                yield reference, replace(outcome, values=values)
            else:
                yield reference, outcome


def _batch_images(
    outcomes: Iterable[tuple[Reference, Outcome]], images: int
) -> Iterator[list[tuple[Reference, Outcome]]]:
    """Outcomes of at most so many images."""
    batch: list[tuple[Reference, Outcome]] = []
    paths: set[str] = set()
    for reference, outcome in outcomes:
        path = reference.fields["image"]
        if path not in paths and len(paths) == images:
            yield batch
            batch, paths = [], set()
        batch.append((reference, outcome))
        paths.add(path)
    if batch:
        yield batch
