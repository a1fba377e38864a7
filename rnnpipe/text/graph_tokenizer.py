"""Tokenizers as operations of TensorFlow: strings in, strings out, within one graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import tensorflow as tf
import tensorflow_text as tf_text

from rnnpipe.text.graph_normalizer import join_spaces, normalize_in_graph
from rnnpipe.text.normalize import JOIN
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import PAD, UNKNOWN


class GraphTokenizer:
    """What a tokenizer does, by TensorFlow alone; see `normalize_in_graph` for what differs.

    Args:
        tokenizer: what it does the same as.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._normalizer = tokenizer.normalizer
        self._processor = tf_text.SentencepieceTokenizer(tokenizer.model_bytes, out_type=tf.int32)
        self._words = _make_table(tokenizer) if tokenizer.kind == "word" else None

    @property
    def resources(self) -> Sequence[Any]:
        """What a SavedModel has to hold beside the variables of its graph."""
        return [self._processor, *([] if self._words is None else [self._words])]

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The ids of each text, without start and end, `(batch, None)`.

        Args:
            texts: strings, `(batch,)`.
        """
        normal = normalize_in_graph(texts, self._normalizer)
        if self._words is None:
            return self._processor.tokenize(normal)
        words = tf.strings.split(normal)
        pieces = tf.strings.join(["▁", words.values])
        return words.with_values(self._words.lookup(pieces))

    def decode(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """The text of each row of ids, `(batch,)`.

        Args:
            ids: `(batch, None)`; padding, start and end are left out.
        """
        texts = join_spaces(self._processor.detokenize(ids))
        if not self._normalizer.mark_joins:
            return texts
        return tf.strings.regex_replace(texts, f" ?{JOIN} ?", "")


def _make_table(tokenizer: Tokenizer) -> Any:
    """The ids of words: SentencePiece makes a single `UNKNOWN` of a run of unknown ones."""
    pieces = tf.constant(tokenizer.pieces)
    values = tf.range(tokenizer.vocabulary_size, dtype=tf.int32)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(pieces, values), UNKNOWN)


def cut_ids(
    ids: tf.RaggedTensor, max_tokens: int | None, keep: Literal["start", "end"]
) -> tf.RaggedTensor:
    """The ids that a model reads of each text, as `rnnpipe.tasks.text_inputs.encode_text` cuts."""
    if max_tokens is None:
        return ids
    return ids[:, :max_tokens] if keep == "start" else ids[:, -max_tokens:]


def pad_ids(ids: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The ids of a batch, `(batch, time)`, and which rows have any, `(batch,)`.

    A row without ids gets an unknown one: no model reads nothing.
    """
    is_text = ids.row_lengths() > 0
    unknown = tf.fill([tf.size(is_text), 1], UNKNOWN)
    filled = tf.concat([ids, tf.ragged.boolean_mask(unknown, ~is_text[:, None])], axis=1)
    return filled.to_tensor(PAD), is_text
