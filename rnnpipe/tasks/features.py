"""The backbone that a config describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnpipe.config.schema.features import Features as FeaturesConfig
from rnnpipe.sources.folder import absolute

if TYPE_CHECKING:
    from rnnpipe.transforms.recipes.image_features import Features


def make_features(config: FeaturesConfig | None) -> Features | None:
    """What computes features as `data.features` says; None where the model sees pixels."""
    from rnnpipe.transforms.recipes.image_features import Features

    if config is None:
        return None
    return Features(
        config.backbone,
        config.weights if isinstance(config.weights, str) else str(absolute(config.weights)),
        options=tuple(config.options.items()),
        **config.model_dump(exclude={"backbone", "weights", "options"}),
    )
