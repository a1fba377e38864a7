"""What rows of weights stand for, as the vocabulary of a run has it."""

from collections.abc import Mapping
from pathlib import Path

from rnnpipe.records.names import read_names
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.training.row_names import RowNames


def name_tokens(vocabulary: Tokenizer | Symbols, *paths: str) -> dict[str, RowNames]:
    """The tokens of a vocabulary as the names of rows.

    Args:
        vocabulary: of a text, or of a stream of text.
        *paths: of the layers and weights whose rows they are.
    """
    return dict.fromkeys(paths, RowNames("tokens", vocabulary.pieces))


def name_labels(file: Path, path: str, kind: str) -> Mapping[str, RowNames]:
    """The labels in a file as the names of rows.

    Args:
        file: a list of names in JSON.
        path: of the layer whose units they are.
        kind: what they are: labels or answers.
    """
    return {path: RowNames(kind, read_names(file))}
