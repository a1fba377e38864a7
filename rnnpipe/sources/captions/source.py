"""Sources of captions of images."""

from rnnpipe.settings import Kinds
from rnnpipe.sources.source import Source


class CaptionSource(Source):
    """Images, each with one caption or several.

    A subclass has a `kind`, and references with the fields of `CaptionFields`. Other packages add
    kinds by the entry point group `rnnpipe.caption_sources`.
    """

    kinds = Kinds(
        "rnnpipe.caption_sources",
        {
            "shapes_captions": "rnnpipe.sources.generated.shapes_captions:ShapesCaptions",
            "coco_captions": "rnnpipe.sources.captions.coco:CocoCaptions",
            "flickr8k": "rnnpipe.sources.captions.flickr8k:Flickr8k",
            "tfds": "rnnpipe.sources.captions.tfds:TfdsCaptions",
        },
    )
