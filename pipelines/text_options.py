"""What the command lines of both text pipelines have in common."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from rnnpipe.errors import UserError
from rnnpipe.sources.source import Source
from rnnpipe.text.tokenizer import TokenizerKind
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipe import Recipe
from rnnpipe.transforms.runner import Runner
from rnnpipe.transforms.text import Tokenization

MakeBuild = Callable[[argparse.Namespace], tuple[Source, Recipe]]


def make_parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that both pipelines have."""
    defaults = Build.__dataclass_fields__
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--path", type=Path, help="the folder of raw data")
    add("--output", type=Path, required=True, help="the records directory to write")
    add(
        "--files",
        nargs="*",
        type=_pair,
        metavar="NAME=FILE",
        help="which file is which, e.g. train=a.csv test=b.csv; default: found by their names",
    )
    add("--encoding", help="of text files (default: utf-8, of TREC iso-8859-1)")
    add("--tokenizer", choices=get_args(TokenizerKind))
    add("--vocabulary", type=int, help="tokens at most")
    add("--form", choices=("NFC", "NFKC"), default="NFKC", help="(default: %(default)s)")
    add("--keep-case", action="store_true", help="do not make letters small")
    add(
        "--split-punctuation",
        action=argparse.BooleanOptionalAction,
        help="set punctuation apart by spaces (default: for the tokenizer word alone)",
    )
    add("--drop-tags", action="store_true", help="drop HTML's tags")
    add("--max-tokens", type=int)
    add("--drop-duplicates", action="store_true", help="leave repeats out of training")
    add("--drop-leaks", action="store_true", help="leave out of training what other splits hold")
    add("--validation", type=float, default=0.1, help="share held out (default: %(default)s)")
    add("--test", type=float, default=0.1, help="share held out (default: %(default)s)")
    add("--records-per-shard", type=int, default=defaults["records_per_shard"].default)
    add("--max-bad-fraction", type=float, default=defaults["max_bad_fraction"].default)
    add("--workers", type=int, default=1, help="local worker processes (default: %(default)s)")
    return parser


def _pair(argument: str) -> tuple[str, str]:
    name, separator, file = argument.partition("=")
    if not (name and separator and file):
        raise argparse.ArgumentTypeError(f"{argument!r} is not NAME=FILE")
    return name, file


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Those of the options that were given, as keyword arguments."""
    values = {name: getattr(options, name) for name in names}
    if values.get("files"):
        values["files"] = dict(values["files"])
    return {name: value for name, value in values.items() if value is not None}


def tokenization(options: argparse.Namespace, default: Tokenization) -> Tokenization:
    """How text becomes tokens, as the options say."""
    return Tokenization(
        tokenizer=options.tokenizer or default.tokenizer,
        vocabulary=options.vocabulary or default.vocabulary,
        form=options.form,
        lowercase=not options.keep_case,
        split_punctuation=options.split_punctuation,
        drop_tags=options.drop_tags,
    )


def run(
    program: str, parser: argparse.ArgumentParser, make: MakeBuild, argv: Sequence[str] | None
) -> int:
    """Runs the build of a command line and returns the exit code: 0, or 2 for a user's mistake.

    Args:
        program: the pipeline's module, for messages.
        parser: of the options before `--`; those after it are Beam's.
        make: makes the source and the recipe of the options.
        argv: the command line.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options = parser.parse_args(arguments[:at])
    try:
        source, recipe = make(options)
        source.prepare(lambda done, total: None)
        _build(source, recipe, options, arguments[at + 1 :])
    except UserError as fault:
        print(f"{program}: {fault}", file=sys.stderr)
        return 2
    return 0


def _build(
    source: Source, recipe: Recipe, options: argparse.Namespace, beam_args: Sequence[str]
) -> None:
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
    for notice in records.stats["notices"]:
        print(f"note: {notice}")


def _print_progress(stage: str, done: int, total: int) -> None:
    told = f"{done:,} of {total:,} records" if total else "…"
    print(f"{stage}: {told}", file=sys.stderr, flush=True)
