"""Sources of images with classes."""

from rnnpipe.settings import Kinds
from rnnpipe.sources.source import Source


class ImageClassSource(Source):
    """Images with a class each: references have the fields `image`, a path, and `label`.

    Other packages add kinds by the entry point group `rnnpipe.image_class_sources`.
    """

    kinds = Kinds(
        "rnnpipe.image_class_sources",
        {
            "cluttered_shapes": "rnnpipe.sources.generated.cluttered_shapes:ClutteredShapes",
            "image_folders": "rnnpipe.sources.images.image_folders:ImageFolders",
        },
    )
