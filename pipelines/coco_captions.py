r"""Builds caption records: images, or features of them, and tokenized captions.

    python -m rnnpipe.pipelines.coco_captions --source coco_captions --path data/coco \
        --karpathy dataset_coco.json --output coco --workers 2
    python -m rnnpipe.pipelines.coco_captions --source flickr8k --path data/flickr8k \
        --output flickr8k --backbone ResNet101 --weights imagenet --backbone-image-size 448 \
        -- --runner=FlinkRunner --flink_master=localhost:8081
    python -m rnnpipe.pipelines.coco_captions --source tfds --name coco_captions --number image/id \
        --path exported --output coco

Options after `--` are Beam's own; without a `--runner` the build is local.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import get_args

from rnnpipe.pipelines.command import count, make_parser, run
from rnnpipe.pipelines.features import add_features, features_of
from rnnpipe.records.layout import SPLITS
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.captions.tfds import TfdsCaptions
from rnnpipe.sources.generated.shapes_captions import ShapesCaptions
from rnnpipe.sources.images.decoding import FITS
from rnnpipe.sources.source import Source
from rnnpipe.storage.paths import as_path
from rnnpipe.text.tokenizer import TokenizerKind
from rnnpipe.transforms.recipes.base import Recipe
from rnnpipe.transforms.recipes.captions import CaptionRecipe
from rnnpipe.transforms.recipes.tokenization import Tokenization

SOURCES = ("coco_captions", "flickr8k", "tfds", "shapes_captions")

_PROGRAM = "rnnpipe.pipelines.coco_captions"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    parser, recipe = make_parser(_PROGRAM, __doc__), CaptionRecipe()
    _add_source(parser)
    add = parser.add_argument
    add("--image-size", type=count, default=recipe.image_size, help="pixels (default: %(default)s)")
    add("--image-fit", choices=FITS, default=recipe.image_fit, help="(default: %(default)s)")
    add("--jpeg-quality", type=count, default=recipe.jpeg_quality, help="(default: %(default)s)")
    add("--tokenizer", choices=get_args(TokenizerKind), default=recipe.text.tokenizer)
    add("--vocabulary", type=count, default=recipe.text.vocabulary, help="(default: %(default)s)")
    add("--min-count", type=count, default=recipe.min_count, help="(default: %(default)s)")
    add("--max-tokens", type=count, default=recipe.max_tokens, help="(default: %(default)s)")
    add_features(parser)
    return run(_PROGRAM, parser, _make, argv)


def _add_source(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--source", required=True, choices=SOURCES, help="the layout of the raw data")
    add(
        "--path",
        type=as_path,
        required=True,
        help="the folder of raw data; of tfds and shapes_captions, where it is written",
    )
    add(
        "--karpathy",
        type=as_path,
        metavar="FILE",
        help="of coco_captions and flickr8k: dataset_coco.json or its like, relative to --path",
    )
    add("--name", help="of tfds: the data set")
    add("--data-dir", type=as_path, help="of tfds: TensorFlow Datasets' own folder")
    add(
        "--splits",
        nargs="+",
        type=_split,
        metavar="SPLIT=PART",
        help="of tfds: what of it becomes each split, e.g. train=train validation=val[:50%%]"
        " (default: the splits called so; restval is part of train)",
    )
    add("--image-feature", default="image", help="of tfds (default: %(default)s)")
    add("--captions-feature", default="captions/text", help="of tfds (default: %(default)s)")
    add("--number", help="of tfds: the feature with an image's number (default: counted)")
    add("--images", type=count, default=4000, help="of shapes_captions (default: %(default)s)")
    add("--seed", type=int, default=1, help="of shapes_captions (default: %(default)s)")


def _split(argument: str) -> tuple[str, str]:
    split, separator, part = argument.partition("=")
    if split not in SPLITS or not (separator and part):
        expected = f"expected SPLIT=PART with one of the splits {', '.join(SPLITS)}"
        raise argparse.ArgumentTypeError(f"{expected}, got {argument}")
    return split, part


def _make(options: argparse.Namespace) -> tuple[Source, Recipe]:
    return _source(options), CaptionRecipe(
        image_size=options.image_size,
        image_fit=options.image_fit,
        jpeg_quality=options.jpeg_quality,
        text=Tokenization(options.tokenizer, options.vocabulary),
        max_tokens=options.max_tokens,
        min_count=options.min_count,
        features=features_of(options),
    )


def _source(options: argparse.Namespace) -> Source:
    if options.source == "coco_captions":
        return CocoCaptions(options.path, karpathy=options.karpathy)
    if options.source == "flickr8k":
        return Flickr8k(options.path, options.karpathy)
    if options.source == "shapes_captions":
        size, seed = options.image_size, options.seed
        return ShapesCaptions(options.path, images=options.images, size=size, seed=seed)
    fields = {"image": options.image_feature, "captions": options.captions_feature}
    if options.number:
        fields["number"] = options.number
    splits = dict(options.splits) if options.splits else None
    return TfdsCaptions(
        options.path, fields, name=options.name, data_dir=options.data_dir, splits=splits
    )


if __name__ == "__main__":
    sys.exit(main())
