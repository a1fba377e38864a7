r"""Builds VQA records: images, tokenized questions and soft-target answers.

    python -m rnnpipe.pipelines.vqa --source vqa_v2 --path data/vqa_v2 --output vqa_v2 --workers 2
    python -m rnnpipe.pipelines.vqa --source easy_vqa --path data/easy_vqa --output easy \
        -- --runner=FlinkRunner --flink_master=localhost:8081

Options after `--` are Beam's own; without a `--runner` the build is local.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import get_args

from rnnpipe.pipelines.command import count, make_parser, run
from rnnpipe.sources.easy_vqa import EasyVqa
from rnnpipe.sources.images import FITS
from rnnpipe.sources.source import Source
from rnnpipe.sources.vqa_v2 import VqaV2
from rnnpipe.storage.paths import place
from rnnpipe.text.tokenizer import TokenizerKind
from rnnpipe.transforms.recipe import Recipe
from rnnpipe.transforms.vqa import VqaRecipe

SOURCES = {"vqa_v2": VqaV2, "easy_vqa": EasyVqa}

_PROGRAM = "rnnpipe.pipelines.vqa"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    parser, recipe = make_parser(_PROGRAM, __doc__), VqaRecipe()
    add = parser.add_argument
    add("--source", required=True, choices=SOURCES, help="the layout of the raw data")
    add("--path", type=place, required=True, help="the folder of raw data")
    add("--image-size", type=count, default=recipe.image_size, help="pixels (default: %(default)s)")
    add("--image-fit", choices=FITS, default=recipe.image_fit, help="(default: %(default)s)")
    add("--jpeg-quality", type=count, default=recipe.jpeg_quality, help="(default: %(default)s)")
    add("--tokenizer", choices=get_args(TokenizerKind), default=recipe.tokenizer)
    add("--vocabulary", type=count, default=recipe.vocabulary, help="(default: %(default)s)")
    add("--max-tokens", type=count, default=recipe.max_tokens, help="(default: %(default)s)")
    add("--max-answers", type=count, default=recipe.max_answers, help="(default: %(default)s)")
    add("--min-answer-count", type=count, default=recipe.min_answer_count)
    return run(_PROGRAM, parser, _make, argv)


def _make(options: argparse.Namespace) -> tuple[Source, Recipe]:
    source: Source = SOURCES[options.source](options.path)
    return source, VqaRecipe(
        image_size=options.image_size,
        image_fit=options.image_fit,
        jpeg_quality=options.jpeg_quality,
        tokenizer=options.tokenizer,
        vocabulary=options.vocabulary,
        max_tokens=options.max_tokens,
        max_answers=options.max_answers,
        min_answer_count=options.min_answer_count,
    )


if __name__ == "__main__":
    sys.exit(main())
