"""Text generation: each symbol is drawn from the model and read as its next input."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.decoding import draw_quantiles
from rnnpipe.models.language_model import get_states, state_sizes
from rnnpipe.parts.search import SamplingOptions
from rnnpipe.tasks.text_inputs import encode_text
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN


def generate_text(
    model: keras.Model,
    symbols: Symbols,
    sampling: SamplingOptions,
    *,
    length: int,
    seed: int,
    prompt: str = "",
) -> Iterator[str]:
    """Generates the continuation of a text.

        yₜ ~ softmax(logits(y₁ … yₜ₋₁) / temperature), cut to the likeliest symbols

    Args:
        model: of `build_language_model`.
        symbols: its vocabulary.
        sampling: how symbols are drawn.
        length: number of symbols to generate.
        seed: of the draws; the same one gives the same text.
        prompt: the beginning of the text.

    Yields:
        The pieces of the text: those of `prompt`, then each symbol as it is drawn.
    """
    tokens = encode_text(symbols, prompt, "--prompt", max_tokens=None, keep="start")
    yield from symbols.stream(_draw_tokens(model, tokens, sampling, length, seed))


def _draw_tokens(
    model: keras.Model, prompt: list[int], sampling: SamplingOptions, length: int, seed: int
) -> Iterator[int]:
    barred = np.zeros(model.output["logits"].shape[-1], "float32")
    barred[[PAD, UNKNOWN, START, END]] = -np.inf  # they stand for no text

    @tf.function(reduce_retracing=True)
    def draw(tokens: Any, starts: Any, states: Any, quantile: Any) -> tuple[Any, Any]:
        inputs = {"tokens": tokens, "starts": starts, "states": states}
        outputs = model(inputs, training=False)
        return sampling.sample(outputs["logits"][:, -1] + barred, quantile), get_states(outputs)

    yield from prompt
    tokens, starts = tf.constant([[START, *prompt]]), tf.constant([True])
    states: Any = [tf.zeros((1, size)) for size in state_sizes(model)]
    for quantile in draw_quantiles((length, 1, 1), seed):
        drawn, states = draw(tokens, starts, list(states), quantile)
        yield int(drawn[0])
        tokens, starts = drawn[:, None], tf.constant([False])
