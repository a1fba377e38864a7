"""Sampling: tokens drawn by their probability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe import ops
from rnnpipe.decoding.checks import check_count, check_lengths, is_real, start_tokens
from rnnpipe.decoding.constraints import AnyConstraints
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.single_path import decode_single_path
from rnnpipe.decoding.step import Step
from rnnpipe.decoding.top_k import blocked_top_k
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import END, START
from rnnpipe.types import Nested, Tensor

if TYPE_CHECKING:
    import keras

# A quantile that is below 1 even after rounding, so that it falls on a token.
MAX_QUANTILE = 1.0 - 2.0**-20

MIN_TEMPERATURE = 1e-30  # what float32 can divide by


def sample(
    step: Step,
    state: Nested[Tensor],
    *,
    max_length: int,
    seed: int | keras.random.SeedGenerator | None = None,
    quantiles: Any = None,
    max_lengths: Any = None,
    samples: int = 1,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    start: Any = START,
    end: int = END,
    constraints: AnyConstraints = None,
) -> Decoded:
    """Samples each token from the model's distribution, until all rows have ended.

        yₜ ~ softmax(logits / temperature), truncated to the most likely tokens

    Args:
        step: as for `greedy_search`.
        state: the first state, whose rows are the batch.
        max_length: the maximum length, the end token included.
        seed: an integer, which gives the same sequences at each call, also in a graph (each
            backend, and XLA, has its own, and each size of a batch); or a
            `keras.random.SeedGenerator`, which gives new ones.
        quantiles: in the place of a seed: `(batch, samples, max_length)`, or `(1, …)` for the same
            ones in each row: uniform random numbers from 0, included, to 1, excluded. What is drawn
            of a row depends on its own alone, whatever the backend.
        max_lengths: the maximum length of each row, `(batch,)`, where they differ.
        samples: how many sequences are sampled for each row.
        temperature: above 0; the lower, the closer to `greedy_search`.
        top_k: samples from the k most likely tokens only (Fan et al. 2018, section 5.1).
        top_p: samples from the smallest set of most likely tokens with this total probability
            (Holtzman et al. 2020, section 3.1), after temperature and `top_k`.
        start: the first token that the step reads: one for all rows, or `(batch,)`.
        end: the end token.
        constraints: `Constraints`, a `Constraint`, or a list of them.

    Returns:
        A `Decoded` with `samples` sequences for each row, in the order of sampling. Its scores are
        log-probabilities under the model itself, without temperature and truncation.

    Raises:
        UserError: if an argument is out of range, or the step returns something else.

    Example:
        >>> def coin(tokens, state):  # heads, 4, or tails, 5
        ...     return ops.log(ops.array([[0.0, 0.0, 0.0, 0.0, 0.5, 0.5]])), state
        >>> sampled = sample(coin, ops.zeros((1,)), max_length=8, seed=1)
        >>> set(sampled.ids.numpy().flatten().tolist()) == {4, 5}
        True
    """
    check_lengths(max_length, end)
    _check(seed, quantiles, samples, temperature, top_k, top_p)
    batch, length = ops.shape(start_tokens(start, state))[0], int(max_length)
    if quantiles is None:
        seed = int(seed) if isinstance(seed, np.integer) else seed
        quantiles = draw_quantiles((batch * samples, length), seed)
    else:
        quantiles = _repeat_quantiles(quantiles, batch, (samples, length))

    def choose(log_probs: Tensor, t: Tensor) -> Tensor:
        quantile = ops.take(quantiles, t, axis=1)[:, None]
        return sample_tokens(log_probs, quantile, temperature=temperature, top_k=top_k, top_p=top_p)

    return decode_single_path(
        step,
        state,
        choose,
        start=start,
        end=end,
        max_length=max_length,
        max_lengths=max_lengths,
        constraints=constraints,
        repeats=samples,
    )


def draw_quantiles(shape: tuple[Any, ...], seed: Any) -> Tensor:
    """Random numbers from 0, included, to 1, excluded, for `sample_tokens`."""
    return ops.random.uniform(shape, maxval=MAX_QUANTILE, dtype="float32", seed=seed)


def sample_tokens(
    logits: Tensor,
    quantile: Tensor,
    *,
    temperature: float | Tensor = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """One step of `sample`: the token at which the cumulative probability exceeds a quantile.

    Args:
        logits: `(rows, vocab)`; -inf for a token that may not be drawn.
        quantile: `(rows, 1)`, uniform random numbers from 0, included, to 1, excluded.
        temperature: as for `sample`, or a tensor `(rows, 1)`.
        top_k: as for `sample`.
        top_p: as for `sample`.

    Returns:
        The tokens, `(rows,)`.

    Example:
        >>> from keras import ops
        >>> logits = ops.log(ops.array([[0.5, 0.25, 0.25]]))
        >>> [int(sample_tokens(logits, ops.array([[q]]))[0]) for q in (0.4, 0.6, 0.9)]
        [0, 1, 2]
    """
    logits, quantile, temperature = (
        ops.cast(each, "float32") for each in (logits, quantile, temperature)
    )
    quantile = ops.minimum(quantile, MAX_QUANTILE)
    vocab, order = logits.shape[-1], None
    if top_k is not None or top_p is not None:
        logits, order = blocked_top_k(logits, min(top_k or vocab, vocab))
    # Differences are divided, since quotients of a low temperature would all be infinite.
    differences = logits - ops.max(logits, axis=-1, keepdims=True, initial=-math.inf)
    weights = ops.exp(differences / ops.maximum(temperature, MIN_TEMPERATURE))
    cumulative = ops.cumsum(weights, axis=-1)
    if top_p is not None:
        nucleus = cumulative - weights < top_p * cumulative[:, -1:]
        cumulative = ops.cumsum(ops.where(nucleus, weights, 0.0), axis=-1)
    below = cumulative <= quantile * cumulative[:, -1:]
    index = ops.sum(ops.cast(below, "int32"), axis=-1, keepdims=True)
    tokens = index if order is None else ops.take_along_axis(order, index, axis=1)
    return ops.cast(tokens[:, 0], "int32")


def _repeat_quantiles(quantiles: Any, batch: Any, each: tuple[int, int]) -> Tensor:
    """The quantiles of all rows, `(batch * samples, length)`."""
    quantiles = ops.cast(quantiles, "float32")
    shape = tuple(quantiles.shape)
    known = None not in (shape[0], batch) and isinstance(batch, int)
    if shape[1:] != each or (known and shape[0] not in (1, batch)):
        expected = f"(batch or 1, samples {each[0]}, max_length {each[1]})"
        raise UserError("quantiles", expected, str(shape), "draw a number for each token")
    return ops.reshape(ops.broadcast_to(quantiles, (batch, *each)), (-1, each[1]))


def _is_seed(seed: Any) -> bool:
    if isinstance(seed, int | np.integer):
        return not isinstance(seed, bool)
    return isinstance(seed, ops.random.SeedGenerator)


def _check(
    seed: Any,
    quantiles: Any,
    samples: int,
    temperature: Any,
    top_k: int | None,
    top_p: Any,
) -> None:
    if quantiles is not None and seed is not None:
        raise UserError("seed", "none with quantiles", repr(seed), "pass one of the two")
    if quantiles is None and not _is_seed(seed):
        expected = "an integer or a keras.random.SeedGenerator"
        raise UserError("seed", expected, repr(seed), "write e.g. seed=1")
    check_count("samples", samples, "e.g. samples=5")
    if not is_real(temperature) or not 0 < float(temperature) < math.inf:
        fix = "use greedy_search for the most likely tokens"
        raise UserError("temperature", "above 0", repr(temperature), fix)
    if top_k is not None:
        check_count("top_k", top_k, "e.g. top_k=40, or None")
    if top_p is not None and not (is_real(top_p) and 0 < float(top_p) <= 1):
        raise UserError("top_p", "above 0 and at most 1", str(top_p), "write e.g. top_p=0.9")
