r"""Builds records of texts with classes: tokens and labels.

    python -m rnnpipe.pipelines.text_classes --source label_files --path data/rt_polarity \
        --output rt
    python -m rnnpipe.pipelines.text_classes --source trec --path data/trec_questions \
        --output trec --labels fine
    python -m rnnpipe.pipelines.text_classes --source table --path data/reviews --text review \
        --output reviews
    python -m rnnpipe.pipelines.text_classes --source tfds:imdb_reviews --output imdb --workers 2 \
        -- --runner=FlinkRunner --flink_master=localhost:8081

Options after `--` are Beam's own; without a `--runner` the build is local.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.pipelines.command import run
from rnnpipe.pipelines.text_options import given, make_parser, tokenization
from rnnpipe.sources.source import Source
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.sources.text.label_folders import LabelFolders
from rnnpipe.sources.text.table import Table
from rnnpipe.sources.text.tfds import Tfds
from rnnpipe.sources.text.trec import Trec
from rnnpipe.storage.cache import cache_folder
from rnnpipe.transforms.recipes.base import Recipe
from rnnpipe.transforms.recipes.text_classes import TextClassRecipe

_PROGRAM = "rnnpipe.pipelines.text_classes"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    parser = make_parser(_PROGRAM, __doc__)
    add = parser.add_argument
    add(
        "--source",
        required=True,
        metavar="LAYOUT",
        help="label_files, label_folders, table, trec, or tfds:<name of the data set>",
    )
    add("--text", default="text", help="column or feature of the texts (default: %(default)s)")
    add("--label", default="label", help="column or feature of the labels (default: %(default)s)")
    add("--labels", choices=("coarse", "fine"), default="coarse", help="TREC's classes")
    add("--keep", choices=("start", "end"), default="start", help="of texts that are cut")
    return run(_PROGRAM, parser, _make, argv)


def _make(options: argparse.Namespace) -> tuple[Source, Recipe]:
    recipe = TextClassRecipe(
        text=tokenization(options, TextClassRecipe().text),
        max_tokens=options.max_tokens or TextClassRecipe().max_tokens,
        keep=options.keep,
        drop_duplicates=options.drop_duplicates,
        drop_leaks=options.drop_leaks,
    )
    return _open(options), recipe


def _open(options: argparse.Namespace) -> Source:
    kind, _, name = options.source.partition(":")
    fields = {"text": options.text, "label": options.label}
    if kind == "tfds":
        exported = cache_folder("raw") / kind
        splits = dict(options.files) if options.files else None
        return Tfds(exported, fields, name=name or None, data_dir=options.path, splits=splits)
    path = _path(options)
    match kind:
        case "label_files":
            return LabelFiles(path, **given(options, "files", "encoding"))
        case "label_folders":
            return LabelFolders(path, **given(options, "encoding"))
        case "table":
            return Table(path, fields, **given(options, "files", "encoding"))
        case "trec":
            return Trec(path, **given(options, "labels", "files", "encoding"))
        case _:
            expected = "label_files, label_folders, table, trec or tfds:<name>"
            raise UserError("--source", expected, options.source, "name the layout of the raw data")


def _path(options: argparse.Namespace) -> Path:
    if options.path is None:
        raise UserError("--path", "the folder of raw data", "none", "write e.g. --path data")
    path: Path = options.path
    return path


if __name__ == "__main__":
    sys.exit(main())
