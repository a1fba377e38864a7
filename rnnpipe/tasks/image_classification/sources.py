"""The source of a config of images with classes."""

from rnnpipe.sources.generated.cluttered_shapes import ClutteredShapes
from rnnpipe.sources.images.image_folders import ImageFolders
from rnnpipe.sources.source import Source
from rnnpipe.storage.cache import cache_folder
from rnnpipe.tasks.image_classification.config import (
    ClutteredShapesSource,
    GlimpseSource,
    ImageFoldersSource,
)


def open_source(config: GlimpseSource) -> Source:
    """The source that a config's `data.source` describes."""
    settings = config.model_dump(exclude={"kind", "path"})
    match config:
        case ClutteredShapesSource():
            return ClutteredShapes(config.path or cache_folder("raw") / config.kind, **settings)
        case ImageFoldersSource():
            return ImageFolders(config.path, **settings)
