r"""Builds records of videos: frames sampled by time, or features of them, with labels.

    python -m rnnpipe.pipelines.video_frames --source grid --path data/grid --rate 25 --output grid
    python -m rnnpipe.pipelines.video_frames --source clips --path data/clips --label class \
        --frame-labels frame_labels.csv --rate 12 --output clips --workers 2
    python -m rnnpipe.pipelines.video_frames --source clips --path data/clips --output clips \
        --backbone ResNet50 --weights imagenet --batch-size 16 \
        -- --runner=FlinkRunner --flink_master=localhost:8081

The source `clips` is a folder with a table of clips, and `grid` the GRID corpus. Options after `--`
are Beam's own; without a `--runner` the build is local.
"""

import argparse
import sys
from collections.abc import Sequence

from rnnpipe.errors import UserError
from rnnpipe.pipelines.command import count, make_parser, run
from rnnpipe.pipelines.features import add_features, features_of
from rnnpipe.sources.images.decoding import FITS
from rnnpipe.sources.source import Source
from rnnpipe.sources.videos.clips import Sampling
from rnnpipe.sources.videos.grid import WORDS, Grid
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.storage.paths import as_path
from rnnpipe.transforms.recipes.base import Recipe
from rnnpipe.transforms.recipes.video_frames import VideoRecipe

_PROGRAM = "rnnpipe.pipelines.video_frames"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    parser, recipe = make_parser(_PROGRAM, __doc__), VideoRecipe()
    add = parser.add_argument
    add("--source", required=True, choices=("clips", "grid"), help="the layout of the raw data")
    add("--path", type=as_path, required=True, help="the folder of raw data")
    add("--table", default="clips.csv", help="of clips: the table of clips (default: %(default)s)")
    add("--clip", default="clip", help="its column with the files (default: %(default)s)")
    add("--label", help="its column with the classes of clips; of grid: one of " + ", ".join(WORDS))
    add("--split", help="its column with the splits")
    add("--frame-labels", help="the table of frames")
    add("--videos", default="clips", help="of grid: the folder of videos (default: %(default)s)")
    add("--alignments", default="align", help="and of alignments (default: %(default)s)")
    add("--rate", type=float, default=recipe.frame_rate, help="frames/s (default: %(default)s)")
    add("--most", type=count, default=256, help="frames in a record (default: %(default)s)")
    add("--image-size", type=count, default=recipe.size, help="pixels (default: %(default)s)")
    add("--image-fit", choices=FITS, default=recipe.fit, help="(default: %(default)s)")
    add(
        "--box",
        type=float,
        nargs=4,
        metavar=("LEFT", "TOP", "RIGHT", "BOTTOM"),
        help="what is kept of each frame, as fractions (default: all)",
    )
    add("--jpeg-quality", type=count, default=recipe.jpeg_quality, help="(default: %(default)s)")
    add_features(parser)
    return run(_PROGRAM, parser, _make, argv)


def _make(options: argparse.Namespace) -> tuple[Source, Recipe]:
    recipe = VideoRecipe(
        frame_rate=options.rate,
        size=options.image_size,
        fit=options.image_fit,
        box=tuple(options.box) if options.box else None,
        jpeg_quality=options.jpeg_quality,
        features=features_of(options),
    )
    return _open_source(options, Sampling(options.rate, options.most)), recipe


def _open_source(options: argparse.Namespace, sampling: Sampling) -> Source:
    if options.source == "clips":
        return ClipTable(
            options.path,
            sampling,
            table=options.table,
            clip=options.clip,
            label=options.label,
            split=options.split,
            frame_labels=options.frame_labels,
        )
    if options.label not in (None, *WORDS):
        expected, fix = f"one of {', '.join(WORDS)}", "name one of those"
        raise UserError("--label", expected, options.label, fix)
    return Grid(
        options.path,
        sampling,
        videos=options.videos,
        alignments=options.alignments,
        clip_label=options.label,
    )


if __name__ == "__main__":
    sys.exit(main())
