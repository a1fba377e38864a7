"""What the command lines of both text pipelines have in common."""

import argparse
from typing import Any, get_args

from rnnpipe.pipelines import command
from rnnpipe.storage.paths import as_path
from rnnpipe.text.tokenizer import TokenizerKind
from rnnpipe.transforms.recipes.tokenization import Tokenization


def make_parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that both pipelines have."""
    parser = command.make_parser(program, description)
    add = parser.add_argument
    add("--path", type=as_path, help="the folder of raw data")
    add(
        "--files",
        nargs="*",
        type=_pair,
        metavar="NAME=FILE",
        help="which file is which, e.g. train=a.csv test=b.csv; default: found by their names",
    )
    add("--encoding", help="of text files (default: utf-8, of TREC iso-8859-1)")
    add("--tokenizer", choices=get_args(TokenizerKind))
    add("--vocabulary", type=command.count, help="tokens at most")
    add("--form", choices=("NFC", "NFKC"), default="NFKC", help="(default: %(default)s)")
    add("--keep-case", action="store_true", help="do not make letters small")
    add(
        "--split-punctuation",
        action=argparse.BooleanOptionalAction,
        help="set punctuation apart by spaces (default: for the tokenizer word alone)",
    )
    add("--drop-tags", action="store_true", help="drop HTML's tags")
    add("--max-tokens", type=command.count)
    add("--drop-duplicates", action="store_true", help="leave repeats out of training")
    add("--drop-leaks", action="store_true", help="leave out of training what other splits hold")
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
        mark_joins=default.mark_joins,
    )
