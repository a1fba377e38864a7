r"""Builds records of long texts: stretches of documents, in their order, as token ids.

    python -m pipelines.text_stream --path data/tinyshakespeare/input.txt --output shakespeare
    python -m pipelines.text_stream --path data/wikitext-2 --begin '^ = [^=]+ = $' \
        --symbols word --vocabulary 40000 --output wikitext -- --runner=FlinkRunner

Options after `--` are Beam's own; without a `--runner` the build is local.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rnnpipe.errors import UserError
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.text.symbols import SymbolKind
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.runner import Runner
from rnnpipe.transforms.streams import StreamRecipe


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options = _make_parser().parse_args(arguments[:at])
    try:
        _build(options, arguments[at + 1 :])
    except UserError as fault:
        print(f"pipelines.text_stream: {fault}", file=sys.stderr)
        return 2
    return 0


def _make_parser() -> argparse.ArgumentParser:
    recipe, build = StreamRecipe(), Build.__dataclass_fields__
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.text_stream",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--path", type=Path, required=True, help="a text file, or a folder of .txt or .tokens")
    add("--begin", help="a regular expression for lines with which a document begins")
    add("--encoding", default="utf-8", help="of the files (default: %(default)s)")
    add("--output", type=Path, required=True, help="the records directory to write")
    add("--symbols", choices=get_args(SymbolKind), default=recipe.symbols)
    add("--vocabulary", type=int, default=recipe.vocabulary, help="(default: %(default)s)")
    add("--validation", type=float, default=0.1, help="share held out (default: %(default)s)")
    add("--test", type=float, default=0.1, help="share held out (default: %(default)s)")
    add("--records-per-shard", type=int, default=build["records_per_shard"].default)
    add("--max-bad-fraction", type=float, default=build["max_bad_fraction"].default)
    add("--workers", type=int, default=1, help="local worker processes (default: %(default)s)")
    return parser


def _build(options: argparse.Namespace, beam_args: Sequence[str]) -> None:
    shares = {"validation": options.validation, "test": options.test}
    shares = {split: share for split, share in shares.items() if share}
    source = TextStreams(
        options.path, begin=options.begin, shares=shares, encoding=options.encoding
    )
    source.prepare(lambda done, total: None)
    build = Build(
        source,
        StreamRecipe(symbols=options.symbols, vocabulary=options.vocabulary),
        shares=shares,
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
