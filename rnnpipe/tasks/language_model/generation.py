"""Text generation: each symbol is drawn from the model and read as its next input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.parts.search import SamplingOptions
from rnnpipe.tasks.network import Array, Arrays, Function
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN

if TYPE_CHECKING:
    import keras

_MAX_QUANTILE = 1.0 - 2.0**-20  # falls on a token even after rounding


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
    tokens = symbols.encode(prompt)
    drawn = draw_tokens(make_draw(model), [tokens], sampling, length, [seed])
    yield from symbols.stream(_chain(tokens, drawn))


def _chain(prompt: Sequence[int], drawn: Iterator[tuple[Array, Array]]) -> Iterator[int]:
    yield from prompt
    for tokens, _ in drawn:
        yield int(tokens[0])


def draw_tokens(
    draw: Function,
    prompts: Sequence[Sequence[int]],
    sampling: SamplingOptions,
    length: int,
    seeds: Sequence[int],
) -> Iterator[tuple[Array, Array]]:
    """Draws tokens after each of several texts; a row draws what it would draw alone.

    Args:
        draw: the function `draw` of a language model's network.
        prompts: the tokens of each text.
        sampling: how symbols are drawn.
        length: how many tokens are drawn after each text.
        seeds: of the draws of each text.

    Yields:
        The next token of each text and its log-probability under the model itself, without
        temperature and truncation, in nats, `(texts,)` both.
    """
    generators = [np.random.default_rng(seed) for seed in seeds]
    quantiles = np.stack([each.uniform(0, _MAX_QUANTILE, length) for each in generators])
    quantiles = quantiles.astype("float32")[..., None]  # (texts, length, 1)
    options = asdict(sampling)
    outputs = _read_prompts(draw, prompts, quantiles[:, 0], options)
    yield outputs["tokens"], outputs["log_probs"]
    starts = np.zeros(len(prompts), bool)
    for t in range(1, length):
        states = {name: array for name, array in outputs.items() if name.startswith("state_")}
        inputs = {"tokens": outputs["tokens"][:, None], "starts": starts, **states}
        outputs = draw({**inputs, "quantile": quantiles[:, t]}, **options)
        yield outputs["tokens"], outputs["log_probs"]


def _read_prompts(
    draw: Function,
    prompts: Sequence[Sequence[int]],
    quantiles: Array,
    options: Mapping[str, Any],
) -> Arrays:
    """The outputs after texts of different lengths: those of one length are read together."""
    order: list[int] = []
    parts: list[Arrays] = []
    for length in sorted({len(prompt) for prompt in prompts}):
        rows = [row for row, prompt in enumerate(prompts) if len(prompt) == length]
        tokens = np.array([[START, *prompts[row]] for row in rows], "int32")
        inputs = {"tokens": tokens, "starts": np.ones(len(rows), bool)}
        parts.append(draw({**inputs, "quantile": quantiles[rows]}, **options))
        order += rows
    back = np.argsort(order)
    return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}


def make_draw(model: keras.Model) -> Function:
    """The function `draw` of a network: reads tokens and draws the next one of each text.

    It reads `tokens`, `(texts, time)`; `starts`, `(texts,)`, whether each text begins with them;
    `quantile`, `(texts, 1)`; and the states that it returned before, `state_0` and so on, which
    may be left out where texts start. It returns the next `tokens` and their `log_probs`,
    `(texts,)`, and the states. Its options are those of `SamplingOptions`.

    Args:
        model: of `build_language_model`.
    """
    import tensorflow as tf

    from rnnpipe.models.language_model import get_states, state_sizes

    sizes, vocab = state_sizes(model), model.output["logits"].shape[-1]
    barred = np.zeros(vocab, "float32")
    barred[[PAD, UNKNOWN, START, END]] = -np.inf  # they stand for no text

    @tf.function(reduce_retracing=True)
    def draw(tensors: Mapping[str, tf.Tensor], states: Any, sampling: Any) -> Any:
        inputs = {"tokens": tensors["tokens"], "starts": tensors["starts"], "states": states}
        outputs = model(inputs, training=False)
        logits = tf.cast(outputs["logits"][:, -1], tf.float32) + barred
        drawn = SamplingOptions(**sampling).sample(logits, tensors["quantile"])
        tokens = tf.cast(drawn, tf.int32)
        log_probs = tf.gather(tf.nn.log_softmax(logits), tokens, batch_dims=1)
        return tokens, log_probs, get_states(outputs)

    def call(arrays: Arrays, **sampling: Any) -> Arrays:
        tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        rows = len(arrays["tokens"])
        states = [
            tensors.pop(f"state_{number}", tf.zeros((rows, size)))
            for number, size in enumerate(sizes)
        ]
        tokens, log_probs, after = draw(tensors, states, sampling)
        named = {f"state_{number}": state.numpy() for number, state in enumerate(after)}
        return {"tokens": tokens.numpy(), "log_probs": log_probs.numpy(), **named}

    return call
