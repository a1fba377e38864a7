"""What a user requires of decoded sequences: how many, phrases in them, and how they begin."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnpipe import ops
from rnnpipe.errors import UserError
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.tasks.beam_decoder import check_n_best
from rnnpipe.tasks.inputs import Input, integer, split_phrases
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import PAD, UNKNOWN


def search_inputs(what: str) -> tuple[Input, ...]:
    """The inputs `require`, `prefix` and `n-best` of a task that searches for sequences.

    Args:
        what: a sequence is, e.g. `translation`.
    """
    phrases = f"phrases that each {what} has to contain, semicolons between them"
    return (
        Input("require", phrases, split_phrases, (), "PHRASES"),
        Input("prefix", f"how each {what} begins", default=""),
        Input("n-best", f"{what}s, at most the beam width", integer(1), None, "N"),
    )


class SearchInputs:
    """Reads the inputs of `search_inputs`.

    Args:
        tokenizer: of what is searched for.
        options: of the search.
    """

    def __init__(self, tokenizer: Tokenizer, options: BeamSearchOptions) -> None:
        self._tokenizer, self._options = tokenizer, options

    def count(self, inputs: Mapping[str, Any]) -> int:
        """How many sequences are asked for.

        Raises:
            UserError: more than the beam has.
        """
        return check_n_best(inputs["n-best"], self._options.beam_width, self._options.n_best)

    def read(self, inputs: Mapping[str, Any]) -> dict[str, Hashable]:
        """The options `n_best`, `prefix` and `required` of a search, see `SearchFunction`.

        Raises:
            UserError: there are more sequences than beams, or a phrase or prefix cannot be
                written.
        """
        options = self._options
        wanted = max(self.count(inputs), options.n_best if options.reranks else 0)
        # Each group finds as many as every other one.
        n_best = -(-wanted // options.groups) * options.groups
        phrases = encode_phrases(inputs["require"], self._tokenizer, options)
        return {
            "n_best": n_best,
            "prefix": tuple(encode_prefix(inputs["prefix"], self._tokenizer, options)),
            "required": tuple(map(tuple, pad_phrases(phrases))),
        }


def encode_phrases(
    phrases: Sequence[str], tokenizer: Tokenizer, options: BeamSearchOptions
) -> list[list[int]]:
    """The tokens of phrases that a sequence has to contain.

    Raises:
        UserError: the vocabulary lacks a word, or the beam is too narrow for them.
    """
    if phrases and options.sampling is not None:
        got, fix = "phrases", "set evaluate.search.sampling to null in the run's config.yaml"
        raise UserError("--require", "none where sequences are drawn", got, fix)
    encoded = [_encode_known(phrase, tokenizer, "--require") for phrase in phrases]
    tokens, width = sum(map(len, encoded)), options.beam_width // options.groups
    if phrases and tokens >= width:
        expected = f"fewer tokens than the beam is wide, {width}"
        fix = "ask for fewer, or raise evaluate.search.beam_width in the run's config.yaml"
        raise UserError("--require", expected, str(tokens), fix)
    return encoded


def encode_prefix(text: str, tokenizer: Tokenizer, options: BeamSearchOptions) -> list[int]:
    """The tokens that a sequence begins with; none of an empty text.

    Raises:
        UserError: the vocabulary lacks a word, or it is longer than a sequence may be.
    """
    tokens = _encode_known(text, tokenizer, "--prefix") if text.strip() else []
    if len(tokens) >= options.max_length:
        fix = "shorten it, or raise evaluate.search.max_length in the run's config.yaml"
        raise UserError(
            "--prefix", f"fewer than {options.max_length} tokens", str(len(tokens)), fix
        )
    return tokens


def _encode_known(text: str, tokenizer: Tokenizer, where: str) -> list[int]:
    tokens = tokenizer.encode(text)
    if not tokens or UNKNOWN in tokens:
        unknown = [p for p, t in zip(tokenizer.split(text), tokens, strict=False) if t == UNKNOWN]
        got = ", ".join(piece.removeprefix("▁") for piece in unknown) or repr(text)
        raise UserError(where, "words of the vocabulary", got, "choose other words")
    return tokens


def pad_phrases(phrases: Sequence[Sequence[int]]) -> list[list[int]]:
    """Phrases of one length, padded.

    Example:
        >>> pad_phrases([[4], [5, 6]])
        [[4, 0], [5, 6]]
    """
    longest = max(map(len, phrases), default=0)
    return [[*phrase, *[PAD] * (longest - len(phrase))] for phrase in phrases]


def repeat_for_batch(tokens: Sequence[int] | Sequence[Sequence[int]], batch: Any) -> Any:
    """The same tokens for each row of a batch, `(batch, *shape of tokens)`; None without tokens.

    Args:
        tokens: of a prefix, or of padded phrases.
        batch: a tensor or array whose first axis is that of the rows.
    """
    if not tokens:
        return None
    array = np.array(tokens, "int32")
    return ops.broadcast_to(array[None], (ops.shape(batch)[0], *array.shape))
