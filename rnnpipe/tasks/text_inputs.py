"""The tokens of a user's own texts, and notices of what the model does not read of them."""

from collections.abc import Sequence
from typing import Literal, Protocol

from rnnpipe.output import write_notice
from rnnpipe.text.tokens import UNKNOWN


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
) -> list[int]:
    """The tokens that a model reads of a text; what it does not read is noted on standard error.

    Args:
        tokenizer: that of the records.
        text: the text.
        where: the input, e.g. `--text`, or `--file FILE, line 3`.
        max_tokens: where longer texts are cut, as those of the records are; None: nowhere.
        keep: the part that is left.
    """
    tokens = tokenizer.encode(text)
    if max_tokens is not None and len(tokens) > max_tokens:
        part = "first" if keep == "start" else "last"
        write_notice(
            f"{where}: the model reads the {part} {max_tokens} of its {len(tokens)} tokens"
        )
        tokens = tokens[:max_tokens] if keep == "start" else tokens[-max_tokens:]
    _note_unknown(tokens, where)
    return tokens


def _note_unknown(tokens: Sequence[int], where: str) -> None:
    unknown = sum(token == UNKNOWN for token in tokens)
    if unknown and unknown == len(tokens):
        write_notice(f"{where}: no token of it is in the vocabulary of the model")
    elif unknown:
        write_notice(f"{where}: {unknown} of its {len(tokens)} tokens are not in the vocabulary")
