"""The base class of predictors that score a given text instead of finding one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rnnpipe.tasks.batching import pad_tokens
from rnnpipe.tasks.graph_function import GraphFunction
from rnnpipe.tasks.network import Array, Arrays, Graph, describe_inputs
from rnnpipe.tasks.predictor import Example, Predictor
from rnnpipe.tasks.scored_text import ScoredText, score_text, score_tokens
from rnnpipe.tasks.text_inputs import encode_text
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import END, START

if TYPE_CHECKING:
    import keras

TARGETS = "targets"
"""The tokens that are scored, among the inputs of the function `score`."""

_END = "</s>"


class SequenceScorer(Predictor):
    """Scores the texts that a decoder may write, with the function `score` of a network.

    A subclass implements `encode`, which puts what `encode_given` returns beside its own arrays,
    and `collate`, with `collate_given`.

    Args:
        tokenizer: of what is scored.
        **predictor: the arguments of `Predictor`.
    """

    function = "score"
    given: ClassVar[str]
    """The input that is scored."""

    def __init__(self, tokenizer: Tokenizer, **predictor: Any) -> None:
        super().__init__(**predictor)
        self._tokenizer = tokenizer

    @abstractmethod
    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """See `Predictor.encode`."""

    def encode_given(self, inputs: Mapping[str, Any]) -> tuple[Arrays, list[str]]:
        """The tokens of the text to score, the end token last, and notes.

        They are never cut: half of a text has another likelihood.

        Raises:
            UserError: it is no text.
        """
        where = f"--{self.given}"
        tokens, notes = encode_text(
            self._tokenizer, inputs[self.given], where, max_tokens=None, keep="start"
        )
        return {TARGETS: np.array([*tokens, END], "int32")}, notes

    def collate_given(self, examples: Sequence[Example]) -> tuple[Array, Array]:
        """What the decoder reads, and what it is to write, padded, `(batch, time)` both."""
        rows = [example.arrays[TARGETS].tolist() for example in examples]
        return pad_tokens([[START, *row[:-1]] for row in rows]), pad_tokens(rows)

    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> list[ScoredText]:
        """The log-probabilities of the tokens of each text."""
        scored = []
        for example, log_probs in zip(examples, outputs["log_probs"], strict=True):
            text = example.inputs[self.given]
            tokens = score_tokens([*self._tokenizer.split(text), _END], log_probs)
            scored.append(score_text(text, tokens, example.notes))
        return scored


def make_likelihood(model: keras.Model) -> GraphFunction:
    """The function `score` of a network: how likely a model finds `targets`, `(batch, time)`.

    It reads what the model reads, too, and returns `log_probs`, `(batch, time)`, in nats.

    Args:
        model: with the output `logits`, `(batch, time, vocab)`; its weights may change.
    """
    return GraphFunction(lambda: _make_graph(model))


def _make_graph(model: keras.Model) -> Graph:
    import tensorflow as tf

    inputs = {**describe_inputs(model), TARGETS: tf.TensorSpec((None, None), tf.int32)}
    return Graph(partial(_score, model), inputs)


def _score(model: keras.Model, tensors: Mapping[str, Any]) -> Mapping[str, Any]:
    import tensorflow as tf

    from rnnpipe.training.log_likelihood import log_likelihood

    read = {name: tensor for name, tensor in tensors.items() if name != TARGETS}
    logits = tf.cast(model(read, training=False)["logits"], tf.float32)
    return {"log_probs": log_likelihood(tensors[TARGETS], logits, watch=True)[0]}
