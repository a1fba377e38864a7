r"""Builds records of images with classes, from a folder for each class.

    python -m rnnpipe.pipelines.image_classes --path data/flowers --output flowers --workers 2
    python -m rnnpipe.pipelines.image_classes --path data/flowers --output flowers \
        -- --runner=FlinkRunner --flink_master=localhost:8081

Options after `--` are Beam's own; without a `--runner` the build is local.
"""

import argparse
import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import count, make_parser, run
from rnnpipe.sources.images.decoding import FITS
from rnnpipe.sources.images.image_folders import ImageFolders
from rnnpipe.sources.source import Source
from rnnpipe.storage.paths import as_path
from rnnpipe.transforms.recipes.base import Recipe
from rnnpipe.transforms.recipes.image_classes import ImageClassRecipe

_PROGRAM = "rnnpipe.pipelines.image_classes"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    parser, recipe = make_parser(_PROGRAM, __doc__), ImageClassRecipe()
    add = parser.add_argument
    add("--path", type=as_path, required=True, help="the folder of raw data")
    add("--labels", nargs="+", help="the folders to read (default: all)")
    add("--size", type=count, default=recipe.size, help="pixels (default: %(default)s)")
    add("--fit", choices=FITS, default=recipe.fit, help="(default: %(default)s)")
    add("--jpeg-quality", type=count, default=recipe.jpeg_quality, help="(default: %(default)s)")
    return run(_PROGRAM, parser, _make, argv)


def _make(options: argparse.Namespace) -> tuple[Source, Recipe]:
    recipe = ImageClassRecipe(options.size, options.fit, options.jpeg_quality)
    return ImageFolders(options.path, options.labels), recipe


if __name__ == "__main__":
    sys.exit(main())
