r"""Builds records of long texts: spans of documents, in their order, as token ids.

    python -m rnnpipe.pipelines.text_stream --path data/tinyshakespeare/input.txt \
        --output shakespeare
    python -m rnnpipe.pipelines.text_stream --path data/wikitext-2 --begin '^ = [^=]+ = $' \
        --symbols word --vocabulary 40000 --output wikitext -- --runner=FlinkRunner

Options after `--` are Beam's own; without a `--runner` the build is local.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import get_args

from rnnpipe.pipelines.command import count, make_parser, run, shares_of
from rnnpipe.sources.source import Source
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.storage.paths import as_path
from rnnpipe.text.symbols import SymbolKind
from rnnpipe.transforms.recipes.base import Recipe
from rnnpipe.transforms.recipes.text_stream import StreamRecipe

_PROGRAM = "rnnpipe.pipelines.text_stream"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    parser, recipe = make_parser(_PROGRAM, __doc__), StreamRecipe()
    add = parser.add_argument
    add("--path", type=as_path, required=True, help="a text file, or a folder of .txt or .tokens")
    add("--begin", help="a regular expression for lines with which a document begins")
    add("--encoding", default="utf-8", help="of the files (default: %(default)s)")
    add("--symbols", choices=get_args(SymbolKind), default=recipe.symbols)
    add("--vocabulary", type=count, default=recipe.vocabulary, help="(default: %(default)s)")
    return run(_PROGRAM, parser, _make, argv)


def _make(options: argparse.Namespace) -> tuple[Source, Recipe]:
    source = TextStreams(
        options.path, begin=options.begin, shares=shares_of(options), encoding=options.encoding
    )
    return source, StreamRecipe(symbols=options.symbols, vocabulary=options.vocabulary)


if __name__ == "__main__":
    sys.exit(main())
