r"""Builds VQA records: images, tokenized questions and soft-target answers.

    python -m pipelines.vqa --source vqa_v2 --path data/vqa_v2 --output vqa_v2 --workers 2
    python -m pipelines.vqa --source easy_vqa --path data/easy_vqa --output easy \
        -- --runner=FlinkRunner --flink_master=localhost:8081

Options after `--` are Beam's own; without a `--runner` the build is local.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rnnpipe.errors import UserError
from rnnpipe.sources.easy_vqa import EasyVqa
from rnnpipe.sources.images import FITS
from rnnpipe.sources.source import Source
from rnnpipe.sources.vqa_v2 import VqaV2
from rnnpipe.text.tokenizer import TokenizerKind
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.runner import Runner
from rnnpipe.transforms.vqa import VqaRecipe

SOURCES = {"vqa_v2": VqaV2, "easy_vqa": EasyVqa}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options = _make_parser().parse_args(arguments[:at])
    try:
        _build(options, arguments[at + 1 :])
    except UserError as fault:
        print(f"pipelines.vqa: {fault}", file=sys.stderr)
        return 2
    return 0


def _make_parser() -> argparse.ArgumentParser:
    recipe, build = VqaRecipe(), Build.__dataclass_fields__
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.vqa",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--source", required=True, choices=SOURCES, help="the layout of the raw data")
    add("--path", type=Path, required=True, help="the folder of raw data")
    add("--output", type=Path, required=True, help="the records directory to write")
    add("--image-size", type=int, default=recipe.image_size, help="pixels (default: %(default)s)")
    add("--image-fit", choices=FITS, default=recipe.image_fit, help="(default: %(default)s)")
    add("--jpeg-quality", type=int, default=recipe.jpeg_quality, help="(default: %(default)s)")
    add("--tokenizer", choices=get_args(TokenizerKind), default=recipe.tokenizer)
    add("--vocabulary", type=int, default=recipe.vocabulary, help="(default: %(default)s)")
    add("--max-tokens", type=int, default=recipe.max_tokens, help="(default: %(default)s)")
    add("--max-answers", type=int, default=recipe.max_answers, help="(default: %(default)s)")
    add("--min-answer-count", type=int, default=recipe.min_answer_count)
    add("--validation", type=float, default=0.1, help="share held out (default: %(default)s)")
    add("--test", type=float, default=0.1, help="share held out (default: %(default)s)")
    add("--records-per-shard", type=int, default=build["records_per_shard"].default)
    add("--max-bad-fraction", type=float, default=build["max_bad_fraction"].default)
    add("--workers", type=int, default=1, help="local worker processes (default: %(default)s)")
    return parser


def _build(options: argparse.Namespace, beam_args: Sequence[str]) -> None:
    source: Source = SOURCES[options.source](options.path)
    source.prepare(lambda done, total: None)
    recipe = VqaRecipe(
        image_size=options.image_size,
        image_fit=options.image_fit,
        jpeg_quality=options.jpeg_quality,
        tokenizer=options.tokenizer,
        vocabulary=options.vocabulary,
        max_tokens=options.max_tokens,
        max_answers=options.max_answers,
        min_answer_count=options.min_answer_count,
    )
    build = Build(
        source,
        recipe,
        shares={"validation": options.validation, "test": options.test},
        records_per_shard=options.records_per_shard,
        max_bad_fraction=options.max_bad_fraction,
    )
    if build.is_finished_in(options.output):
        print(f"{options.output} holds these records already")
        return
    records = build.run(
        options.output, runner=Runner(options.workers, beam_args), progress=_print_progress
    )
    for split, count in records.splits.items():
        print(f"{split}: {count:,} records")
    print(f"dead letters: {sum(records.stats['dead_letters'].values()):,}")


def _print_progress(stage: str, done: int, total: int) -> None:
    told = f"{done:,} of {total:,} records" if total else "…"
    print(f"{stage}: {told}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
