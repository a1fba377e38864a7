"""Text generation: each symbol is drawn from the model and read as its next input."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from rnnpipe.parts.search import SamplingOptions
from rnnpipe.tasks.network import Array, Arrays, Function, take_states
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokens import PAD, START

if TYPE_CHECKING:
    import keras


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
    from rnnpipe.tasks.language_model.network import make_step

    tokens, quantiles = symbols.encode(prompt), draw_quantiles(seed, length)
    step = make_step(model, sampling, ends=symbols.kind == "token")
    drawn = draw_tokens(step, [START, *tokens], quantiles, sampling.temperature)
    yield from symbols.stream(chain(tokens, drawn))


def draw_quantiles(seed: int, length: int) -> Array:
    """The random numbers of a text: uniform in [0, 1), one for each symbol that is drawn.

    They are NumPy's PCG64, so that they depend on the seed alone, and the first ones not on the
    length.

    Example:
        >>> draw_quantiles(7, 3)[:2].tolist() == draw_quantiles(7, 2).tolist()
        True
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    return generator.random(length, dtype=np.float32)


def draw_tokens(
    step: Function,
    text: Sequence[int],
    quantiles: Array,
    temperature: float,
    **options: Hashable,
) -> Iterator[int]:
    """Draws the tokens that follow a text, one after the other.

    Args:
        step: the function `step` of a language model's network.
        text: its tokens, the start token first.
        quantiles: of `draw_quantiles`, one for each token to draw.
        temperature: of the draws.
        **options: those of `step`.
    """
    states: Arrays = {}
    token, last = text[0], len(text) - 1
    for t in range(last + len(quantiles)):
        token = text[t] if t <= last else token
        inputs = {
            "tokens": np.array([token], "int32"),
            "quantiles": quantiles[[max(t - last, 0)]],
            "temperature": np.array([temperature], "float32"),
        }
        outputs = step({**inputs, **states}, **options)
        states = take_states(outputs)
        token = int(outputs["tokens"][0])
        if t >= last:
            yield token


def make_draw(step: Function) -> Function:
    """The function `draw` of a network, as a loop around its function `step`.

    Args:
        step: reads a symbol of each text and draws the next one.
    """

    def draw(arrays: Arrays, **options: Hashable) -> Arrays:
        texts, quantiles = arrays["tokens"], arrays["quantiles"]
        lengths, rows = np.count_nonzero(texts != PAD, axis=1), np.arange(len(texts))
        tokens, log_probs = np.zeros(quantiles.shape, "int32"), np.zeros_like(quantiles)
        token, states = texts[:, 0], dict[str, Array]()
        for t in range(int(lengths.max()) + quantiles.shape[1] - 1):
            token = np.where(t < lengths, texts[:, min(t, texts.shape[1] - 1)], token)
            place = t + 1 - lengths  # below 0 before a text ends
            here = (place >= 0) & (place < quantiles.shape[1])
            cells = rows[here], place[here]
            quantile = np.zeros(len(rows), "float32")
            quantile[here] = quantiles[cells]
            inputs = {"tokens": token, "quantiles": quantile, "temperature": arrays["temperature"]}
            outputs = step({**inputs, **states}, **options)
            states = take_states(outputs)
            token = outputs["tokens"]
            tokens[cells], log_probs[cells] = token[here], outputs["log_probs"][here]
        return {"tokens": tokens, "log_probs": log_probs}

    return draw
