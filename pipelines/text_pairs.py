r"""Builds records of texts and their translations, both tokenized.

    python -m rnnpipe.pipelines.text_pairs --path data/multi30k --from de --to en --output multi30k
    python -m rnnpipe.pipelines.text_pairs --source table --path data/pairs --from german \
        --to english --output pairs --separate
    python -m rnnpipe.pipelines.text_pairs --source tfds:wmt14_translate/de-en --from de --to en \
        --output wmt --workers 2 -- --runner=FlinkRunner --flink_master=localhost:8081

Options after `--` are Beam's own; without a `--runner` the build is local.
"""

import argparse
import sys
from collections.abc import Sequence

from rnnpipe.errors import UserError
from rnnpipe.pipelines.command import run
from rnnpipe.pipelines.text_options import given, make_parser, tokenization
from rnnpipe.sources.source import Source
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.text.table import Table
from rnnpipe.sources.text.tfds import Tfds
from rnnpipe.storage.cache import cache_folder
from rnnpipe.transforms.recipes.base import Recipe
from rnnpipe.transforms.recipes.text_pairs import TextPairRecipe

_PROGRAM = "rnnpipe.pipelines.text_pairs"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    parser = make_parser(_PROGRAM, __doc__)
    add = parser.add_argument
    add(
        "--source",
        default="parallel",
        metavar="LAYOUT",
        help="parallel, table, or tfds:<name of the data set> (default: %(default)s)",
    )
    add("--from", dest="from_", required=True, help="language, column or feature to translate")
    add("--to", required=True, help="language, column or feature of the translation")
    add("--separate", action="store_true", help="a tokenizer for each side, not a joint one")
    return run(_PROGRAM, parser, _make, argv)


def _make(options: argparse.Namespace) -> tuple[Source, Recipe]:
    recipe = TextPairRecipe(
        text=tokenization(options, TextPairRecipe().text),
        joint=not options.separate,
        max_tokens=options.max_tokens or TextPairRecipe().max_tokens,
        drop_duplicates=options.drop_duplicates,
        drop_leaks=options.drop_leaks,
    )
    return _open(options), recipe


def _open(options: argparse.Namespace) -> Source:
    kind, _, name = options.source.partition(":")
    sides = {"source": options.from_, "target": options.to}
    if kind == "tfds":
        exported = cache_folder("raw") / kind
        splits = dict(options.files) if options.files else None
        return Tfds(exported, sides, name=name or None, data_dir=options.path, splits=splits)
    if options.path is None:
        raise UserError("--path", "the folder of raw data", "none", "write e.g. --path data")
    if kind == "parallel":
        return Parallel(options.path, **sides, **given(options, "files", "encoding"))
    if kind == "table":
        return Table(options.path, sides, **given(options, "files", "encoding"))
    fix = "name the layout of the raw data"
    raise UserError("--source", "parallel, table or tfds:<name>", options.source, fix)


if __name__ == "__main__":
    sys.exit(main())
