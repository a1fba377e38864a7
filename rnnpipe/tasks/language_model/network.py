"""The functions of a Keras language model that draw text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from rnnpipe.decoding import sample_tokens
from rnnpipe.models.language_model import get_states, state_sizes
from rnnpipe.parts.search import SamplingOptions
from rnnpipe.tasks.graph_function import GraphFunction
from rnnpipe.tasks.network import Graph, state_name
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN
from rnnpipe.training.log_likelihood import log_likelihood

if TYPE_CHECKING:
    import keras

Tensors = Mapping[str, Any]


def make_draw(
    model: keras.Model, sampling: SamplingOptions, *, ends: bool = False
) -> GraphFunction:
    """The function `draw` of a network: reads texts and draws the symbols that follow them.

    It reads `tokens`, `(batch, time)`, the start token and a text, padded; `quantiles`, `(batch,
    symbols)`, a uniform random number in [0, 1) for each symbol to draw; and `temperature`,
    `(batch,)`. It returns the `tokens` that are drawn and their `log_probs` under the model itself,
    without temperature and truncation, in nats, `(batch, symbols)` both. Its options are `top_k`
    and `top_p`.

    Args:
        model: of `build_language_model`.
        sampling: the options of the exported graph.
        ends: whether texts end: another one begins after the end token.
    """

    def make(top_k: int | None, top_p: float | None) -> Graph:
        step = _Step(model, top_k, top_p, ends)
        inputs = {
            "tokens": tf.TensorSpec((None, None), tf.int32),
            "quantiles": tf.TensorSpec((None, None), tf.float32),
            "temperature": tf.TensorSpec((None,), tf.float32),
        }
        return Graph(partial(_draw, step), inputs, {"top_k": top_k, "top_p": top_p})

    return GraphFunction(make, top_k=sampling.top_k, top_p=sampling.top_p)


def make_step(
    model: keras.Model, sampling: SamplingOptions, *, ends: bool = False
) -> GraphFunction:
    """The function `step` of a network: reads a symbol of each text and draws the next one.

    It reads `tokens`, `quantiles` and `temperature`, `(batch,)`, and the states that it returned
    before, `state/0` and so on. A text begins with the start token, whatever the states are. It
    returns the `logits` of the next symbols, `(batch, vocab)`, the `tokens` that are drawn of those
    that stand for text, their `log_probs`, and the states. Its options are those of `draw`.

    Args:
        model: of `build_language_model`.
        sampling: the options of the exported graph.
        ends: whether texts end: another one begins after the end token.
    """

    def make(top_k: int | None, top_p: float | None) -> Graph:
        step = _Step(model, top_k, top_p, ends)
        inputs = {
            "tokens": tf.TensorSpec((None,), tf.int32),
            "quantiles": tf.TensorSpec((None,), tf.float32),
            "temperature": tf.TensorSpec((None,), tf.float32),
        }
        states = {
            state_name(number): tf.TensorSpec((None, size), tf.float32)
            for number, size in enumerate(step.sizes)
        }

        def run(tensors: Tensors) -> Tensors:
            before = [tensors[name] for name in states]
            outputs, after = step(tensors, before)
            return {**outputs, **dict(zip(states, after, strict=True))}

        options = {"top_k": top_k, "top_p": top_p}
        return Graph(run, {**inputs, **states}, options, tuple(states))

    return GraphFunction(make, top_k=sampling.top_k, top_p=sampling.top_p)


def make_score(model: keras.Model) -> GraphFunction:
    """The function `score` of a network: how likely it finds the next symbols of texts.

    It reads `tokens` and the `targets` that come next, `(batch, time)`, and the states that it
    returned before, `state/0` and so on. It returns the `log_probs` of the targets, `(batch,
    time)`, in nats, and the states.

    Args:
        model: of `build_language_model`, or an ensemble of such models.
    """

    def make() -> Graph:
        texts = {name: tf.TensorSpec((None, None), tf.int32) for name in ("tokens", "targets")}
        states = {
            state_name(number): tf.TensorSpec((None, size), tf.float32)
            for number, size in enumerate(state_sizes(model))
        }

        def score(tensors: Tensors) -> Tensors:
            tokens, before = tensors["tokens"], [tensors[name] for name in states]
            starts = tf.equal(tokens[:, 0], START)
            outputs = model({"tokens": tokens, "starts": starts, "states": before}, training=False)
            logits = tf.cast(outputs["logits"], tf.float32)
            log_probs = log_likelihood(tensors["targets"], logits, watch=True)[0]
            after = [tf.cast(state, tf.float32) for state in get_states(outputs)]
            return {"log_probs": log_probs, **dict(zip(states, after, strict=True))}

        return Graph(score, {**texts, **states}, states=tuple(states))

    return GraphFunction(make)


class _Step:
    """One symbol of each text: read, and the next one drawn.

    Args:
        model: the language model.
        top_k: see `SamplingOptions`.
        top_p: see `SamplingOptions`.
        ends: see `make_step`.
    """

    def __init__(
        self, model: keras.Model, top_k: int | None, top_p: float | None, ends: bool
    ) -> None:
        self._model, self._top_k, self._top_p = model, top_k, top_p
        self._barred = np.zeros(model.output["logits"].shape[-1], "float32")
        # They stand for no text.
        self._barred[[PAD, UNKNOWN, START, *([] if ends else [END])]] = -np.inf
        self.sizes = state_sizes(model)

    def __call__(self, tensors: Tensors, states: Sequence[Any]) -> tuple[Tensors, list[Any]]:
        """Draws by `tokens`, `quantiles` and `temperature`, `(batch,)`; also the new states."""
        tokens = tf.where(tf.equal(tensors["tokens"], END), START, tensors["tokens"])
        inputs = {"tokens": tokens[:, None], "starts": tf.equal(tokens, START)}
        outputs = self._model({**inputs, "states": list(states)}, training=False)
        logits = tf.cast(outputs["logits"][:, 0], tf.float32)
        of_text = logits + self._barred
        drawn = sample_tokens(
            of_text,
            tensors["quantiles"][:, None],
            temperature=tensors["temperature"][:, None],
            top_k=self._top_k,
            top_p=self._top_p,
        )
        log_probs = tf.gather(tf.nn.log_softmax(of_text), drawn, axis=1, batch_dims=1)
        after = [tf.cast(state, tf.float32) for state in get_states(outputs)]
        return {"logits": logits, "tokens": drawn, "log_probs": log_probs}, after


def _draw(step: _Step, tensors: Tensors) -> Tensors:
    """The loop of `draw`: texts of all lengths are read symbol by symbol, each to its own end."""
    texts, quantiles = tensors["tokens"], tensors["quantiles"]
    lengths = tf.math.count_nonzero(tf.not_equal(texts, PAD), axis=1, dtype=tf.int32)
    rows, time = tf.shape(texts)[0], tf.shape(texts)[1]
    places = tf.range(tf.shape(quantiles)[1])

    def advance(t: Any, token: Any, states: Any, tokens: Any, log_probs: Any) -> tuple[Any, ...]:
        token = tf.where(t < lengths, texts[:, tf.minimum(t, time - 1)], token)
        here = places == (t + 1 - lengths)[:, None]  # nowhere before a text ends
        quantile = tf.reduce_sum(tf.where(here, quantiles, 0.0), axis=1)
        inputs = {"tokens": token, "quantiles": quantile, "temperature": tensors["temperature"]}
        outputs, states = step(inputs, states)
        token = outputs["tokens"]
        tokens = tf.where(here, token[:, None], tokens)
        log_probs = tf.where(here, outputs["log_probs"][:, None], log_probs)
        return t + 1, token, states, tokens, log_probs

    first = [tf.zeros((rows, size)) for size in step.sizes]
    zeros = tf.zeros_like(quantiles)
    *_, tokens, log_probs = tf.while_loop(
        lambda t, *_: t < tf.reduce_max(lengths) + tf.size(places) - 1,
        advance,
        (0, tf.zeros_like(lengths), first, tf.cast(zeros, tf.int32), zeros),
    )
    return {"tokens": tokens, "log_probs": log_probs}
