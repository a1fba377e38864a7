"""The classes of texts, within one graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import tensorflow as tf

from rnnpipe.records.layout import LABELS
from rnnpipe.records.names import read_names
from rnnpipe.report.ranking import TOP
from rnnpipe.tasks.network import Graph, HasGraph, Network
from rnnpipe.tasks.text_graph import make_text_graph as make_graph
from rnnpipe.text.graph_tokenizer import GraphTokenizer, cut_ids, pad_ids
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.recipes.text_classes import ClassTextOptions


def make_text_graph(network: Network, folder: Path, options: ClassTextOptions) -> Graph:
    """What `TextClassPredictor` answers to texts, from strings on.

    Args:
        network: with the function `call` of a Keras model.
        folder: with the tokenizer and the classes.
        options: how texts become tokens.
    """
    call = cast("HasGraph", network["call"]).graph()
    (tokens,) = call.inputs
    tokenizer = GraphTokenizer(Tokenizer.load(folder))
    labels = read_names(folder / LABELS)
    n_best = min(TOP, len(labels))

    def classify(texts: tf.Tensor) -> Mapping[str, tf.Tensor]:
        ids, is_text = pad_ids(cut_ids(tokenizer.encode(texts), options.max_tokens, options.keep))
        probabilities = tf.nn.softmax(call.function({tokens: ids})["logits"])
        best, places = tf.math.top_k(probabilities, n_best)  # of equal ones the first
        return {
            "answers": tf.where(is_text[:, None], tf.gather(labels, places), ""),
            "probabilities": tf.where(is_text[:, None], best, 0.0),
        }

    return make_graph(classify, n_best, tokenizer.resources)
