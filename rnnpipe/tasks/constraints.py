"""What a user requires of decoded sequences: phrases that they contain, how they begin."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import PAD, UNKNOWN


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
        batch: a tensor whose first axis is that of the rows.
    """
    import tensorflow as tf

    if not tokens:
        return None
    array = np.array(tokens, "int32")
    repeated = tf.repeat(array[None], tf.shape(batch)[0], axis=0)
    return tf.ensure_shape(repeated, (batch.shape[0], *array.shape))
