"""The source and the recipe that the data section of a captioning config describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnpipe.config.schema.caption_data import (
    CaptionData,
    CaptionSource,
    CaptionTfdsSource,
    CocoCaptionsSource,
    Flickr8kSource,
    ShapesCaptionsSource,
)
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.coco_files import CaptionFiles
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.captions.tfds import TfdsCaptions
from rnnpipe.sources.generated.shapes_captions import ShapesCaptions
from rnnpipe.sources.source import Source
from rnnpipe.storage.cache import cache_folder
from rnnpipe.tasks.features import make_features

if TYPE_CHECKING:
    from rnnpipe.transforms.recipes.captions import CaptionRecipe


def make_caption_recipe(data: CaptionData) -> CaptionRecipe:
    """The recipe of images with captions that a config's `data` describes."""
    from rnnpipe.transforms.recipes.captions import CaptionRecipe  # brings in Beam
    from rnnpipe.transforms.recipes.tokenization import Tokenization

    caption = data.caption
    return CaptionRecipe(
        image_size=data.image.size,
        image_fit=data.image.fit,
        jpeg_quality=data.image.jpeg_quality,
        text=Tokenization(caption.tokenizer, caption.vocabulary, **caption.normalize.model_dump()),
        max_tokens=caption.max_tokens,
        min_count=caption.min_count,
        features=make_features(data.features),
    )


def open_captions(config: CaptionSource) -> Source:
    """The source of images with captions that a config's `data.source` describes."""
    match config:
        case ShapesCaptionsSource():
            settings = config.model_dump(exclude={"kind", "path"})
            return ShapesCaptions(config.path or cache_folder("raw") / config.kind, **settings)
        case CocoCaptionsSource():
            return CocoCaptions(config.path, _files_of(config), config.karpathy)
        case Flickr8kSource():
            return Flickr8k(config.path, config.karpathy)
        case CaptionTfdsSource():
            return TfdsCaptions(
                cache_folder("raw") / "tfds_captions",
                config.model_dump(include={"image", "captions", "number"}, exclude_none=True),
                data_dir=config.path,
                **config.model_dump(include={"name", "splits"}),
            )


def _files_of(config: CocoCaptionsSource) -> dict[str, CaptionFiles] | None:
    if config.files is None:
        return None
    return {split: CaptionFiles(**names.model_dump()) for split, names in config.files.items()}
