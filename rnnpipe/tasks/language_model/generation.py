"""Autoregressive generation of text with a language model."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN

_NEVER = [PAD, UNKNOWN, START, END]


def generate_text(
    model: keras.Model,
    symbols: Symbols,
    *,
    prompt: str = "",
    length: int,
    temperature: float = 1.0,
    seed: int = 0,
) -> Iterator[str]:
    """A text that goes on from how it begins: yₜ ~ softmax(logits(y₁ … yₜ₋₁) / temperature).

    Args:
        model: a language model whose states come in and go out.
        symbols: its vocabulary.
        prompt: how the text begins.
        length: how many symbols to write after that.
        temperature: above 0; the smaller, the likelier the symbols.
        seed: of the draws: the same one writes the same text.

    Yields:
        The pieces of the text: those of `prompt`, then one for each symbol as it is drawn.
    """
    rng = np.random.default_rng(seed)
    begun = symbols.encode(prompt)
    yield from symbols.stream(_draw(model, begun, length, temperature, rng))


def _draw(
    model: keras.Model, begun: list[int], length: int, temperature: float, rng: Any
) -> Iterator[int]:
    @tf.function(reduce_retracing=True)
    def read(tokens: Any, states: Any) -> tuple[Any, Any]:
        outputs = model({"tokens": tokens, "states": states}, training=False)
        return outputs["logits"][:, -1], outputs["states"]

    yield from begun
    states: Any = [tf.zeros((1, state.shape[-1])) for state in model.input["states"]]
    tokens = np.array([[START, *begun]], "int32")
    for _ in range(length):
        logits, states = read(tf.constant(tokens), list(states))
        token = _choose(np.asarray(logits[0], "float64") / temperature, rng)
        yield token
        tokens = np.array([[token]], "int32")


def _choose(logits: Any, rng: Any) -> int:
    """Draws a token by its probability, special tokens excluded."""
    logits[_NEVER] = -np.inf
    shares = np.exp(logits - logits.max())
    return int(rng.choice(len(shares), p=shares / shares.sum()))
