"""Answers to texts as one graph: from strings to strings, without Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.tasks.network import Arrays, Graph
from rnnpipe.tasks.predictor import Predictor

if TYPE_CHECKING:
    import tensorflow as tf

TEXT_FUNCTION = "predict_text"
"""The function of an exported network that predicts from strings."""

_TEXT = "text"


def make_text_graph(
    function: Callable[[tf.Tensor], Mapping[str, tf.Tensor]], n_best: int, resources: Sequence[Any]
) -> Graph:
    """The graph of a function from strings, `(batch,)`.

    Args:
        function: to `answers`, strings `(batch, n_best)`, the likeliest first; their
            `probabilities` and, of a search, `scores`.
        n_best: answers to each text.
        resources: the vocabularies that it uses.
    """
    import tensorflow as tf

    inputs = {_TEXT: tf.TensorSpec((None,), tf.string)}
    return Graph(
        lambda tensors: function(tensors[_TEXT]), inputs, {"n_best": n_best}, resources=resources
    )


class TextFunction:
    """Answers to strings as a function of a network: those of a predictor, to compare a graph with.

    Args:
        predictor: reads a text alone.
        graph: what is to answer as it does.
    """

    def __init__(self, predictor: Predictor, graph: Graph) -> None:
        self._predictor, self._graph = predictor, graph

    def __call__(self, arrays: Arrays) -> Arrays:
        """The `answers`, `probabilities` and perhaps `scores` of a batch of strings.

        A text without an answer has empty ones, with the probability 0 and the score -inf.
        """
        results = list(self._predictor.predict({_TEXT: text} for text in arrays[_TEXT]))
        rows = [() if isinstance(each, UserError) else each.answers for each in results]
        width = self._graph.options["n_best"]
        texts = [_pad([answer.text.encode() for answer in row], width, b"") for row in rows]
        probabilities = [_pad([answer.probability for answer in row], width, 0.0) for row in rows]
        outputs = {
            "answers": np.array(texts, object),
            "probabilities": np.array(probabilities, "float32"),
        }
        if self._predictor.function == "search":
            scores = [_pad([answer.score for answer in row], width, -np.inf) for row in rows]
            outputs["scores"] = np.array(scores, "float32")
        return outputs

    def graph(self) -> Graph:
        """What answers as the predictor does."""
        return self._graph


def _pad(values: Sequence[Any], width: int, missing: Any) -> list[Any]:
    return [*values, *[missing] * (width - len(values))]
