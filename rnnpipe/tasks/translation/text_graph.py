"""Translations of texts, within one graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import tensorflow as tf

from rnnpipe.decoding.penalties import gnmt_coverage, gnmt_length
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.network import Graph, HasGraph, Network
from rnnpipe.tasks.text_graph import make_text_graph as make_graph
from rnnpipe.text.graph_tokenizer import GraphTokenizer, cut_ids, pad_ids
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import PAD


def make_text_graph(
    network: Network, folder: Path, options: BeamSearchOptions, max_tokens: int
) -> Graph:
    """What `TranslationPredictor` answers to texts, from strings to strings.

    Args:
        network: with the function `search` of a Keras model.
        folder: with the tokenizers of both sides.
        options: of the search.
        max_tokens: where longer texts are cut.
    """
    search = cast("HasGraph", network["search"]).graph()
    source, target = (GraphTokenizer(Tokenizer.load(folder / side)) for side in (SOURCE, TARGET))

    def translate(texts: tf.Tensor) -> Mapping[str, tf.Tensor]:
        ids, is_text = pad_ids(cut_ids(source.encode(texts), max_tokens, "start"))
        found = search.function({"source": ids})
        lengths = found["lengths"]
        probabilities = tf.exp(_log_probs(found, options, ids) / tf.cast(lengths, tf.float32))
        is_answer = is_text[:, None] & (lengths > 0)
        return {
            "answers": tf.where(is_answer, _decode(found["ids"], lengths, target), ""),
            "probabilities": tf.where(is_answer, probabilities, 0.0),
            "scores": tf.where(is_answer, found["scores"], -np.inf),
        }

    return make_graph(translate, options.n_best, [*source.resources, *target.resources])


def _decode(ids: tf.Tensor, lengths: tf.Tensor, target: GraphTokenizer) -> tf.Tensor:
    """The texts of sequences, `(batch, n_best)`."""
    sequences = tf.reshape(ids, (-1, tf.shape(ids)[-1]))
    rows = tf.RaggedTensor.from_tensor(sequences, tf.reshape(lengths, (-1,)))
    return tf.reshape(target.decode(rows), tf.shape(lengths))


def _log_probs(found: Mapping[str, Any], options: BeamSearchOptions, source: tf.Tensor) -> Any:
    """The log-probabilities of sequences, `(batch, n_best)`: their scores without penalties."""
    scores = found["scores"]
    if not options.penalizes:
        return scores
    if options.coverage_penalty and found.get("alignments") is not None:
        coverage = tf.reduce_sum(found["alignments"], axis=2)  # (batch, n_best, ..., positions)
        coverage = tf.reshape(coverage, tf.concat([tf.shape(scores), [-1]], axis=0))
        scores -= gnmt_coverage(options.coverage_penalty, source != PAD)(coverage)
    return scores * gnmt_length(options.length_penalty)(tf.cast(found["lengths"], tf.float32))
