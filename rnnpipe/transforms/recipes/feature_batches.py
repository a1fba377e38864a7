"""Features of the images of records, batch by batch."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from rnnpipe.sources.source import Reference
from rnnpipe.transforms.recipes.base import Encoded, Outcome
from rnnpipe.transforms.recipes.image_features import FeatureOptions

_FIELD = "image_features"


def fill_features(
    features: FeatureOptions, outcomes: Iterable[tuple[Reference, Outcome]]
) -> Iterator[tuple[Reference, Outcome]]:
    """Records whose pixels are replaced by the backbone's features of them.

    Args:
        features: the backbone.
        outcomes: the records of a shard; the field `image_features` of each holds pixels of the
            backbone's image size, uint8 `(height, width, 3)`. A batch is in memory at a time.
    """
    remaining = iter(outcomes)
    side = features.image_size
    while batch := list(islice(remaining, features.batch_size)):
        pixels = [found.values[_FIELD] for _, found in batch if isinstance(found, Encoded)]
        grids = iter(features(np.array(pixels, np.uint8).reshape(-1, side, side, 3)))
        for reference, found in batch:
            if isinstance(found, Encoded):
                yield reference, replace(found, values={**found.values, _FIELD: next(grids)})
            else:
                yield reference, found
