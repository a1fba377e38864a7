"""The tokens of a user's own texts, and notes of what the model does not read of them."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.tasks.network import Array
from rnnpipe.text.tokens import END, UNKNOWN

_MADE_UP = 12  # tokens at most


class Encoder(Protocol):
    """A tokenizer, or the symbols of a stream."""

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""


def encode_text(
    tokenizer: Encoder,
    text: str,
    where: str,
    *,
    max_tokens: int | None,
    keep: Literal["start", "end"],
) -> tuple[list[int], list[str]]:
    """The tokens that a model reads of a text, and notes of what it does not read.

    Args:
        tokenizer: that of the records.
        text: the text.
        where: the input, e.g. `--text`.
        max_tokens: where longer texts are cut, as those of the records are; None: nowhere.
        keep: the part that is left.

    Returns:
        The tokens, and a sentence for each note.

    Raises:
        UserError: the text has halves of characters, which Python's strings may have.
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError(where, "a text", "halves of characters", "correct its encoding")
    tokens, notes = tokenizer.encode(text), list[str]()
    if max_tokens is not None and len(tokens) > max_tokens:
        part = "first" if keep == "start" else "last"
        notes.append(
            f"{where}: the model reads the {part} {max_tokens} of its {len(tokens)} tokens"
        )
        tokens = tokens[:max_tokens] if keep == "start" else tokens[-max_tokens:]
    return tokens, notes + _note_unknown(tokens, where)


def make_up_tokens(random: np.random.Generator, vocabulary: int, limit: int = _MADE_UP) -> Array:
    """A few tokens of no text, int32.

    Args:
        random: where they come from.
        vocabulary: how many ids there are, the special ones included.
        limit: how many tokens the model reads.
    """
    length = random.integers(1, min(limit, _MADE_UP) + 1)
    return random.integers(END + 1, vocabulary, length, dtype=np.int32)


def _note_unknown(tokens: Sequence[int], where: str) -> list[str]:
    unknown = sum(token == UNKNOWN for token in tokens)
    if unknown and unknown == len(tokens):
        return [f"{where}: no token of it is in the vocabulary of the model"]
    if unknown:
        return [f"{where}: {unknown} of its {len(tokens)} tokens are not in the vocabulary"]
    return []
