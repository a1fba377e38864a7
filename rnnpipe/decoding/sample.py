"""Sampling: tokens drawn by their probability."""

from typing import Any

import keras
from keras import ops

from rnnpipe.decoding import ranking
from rnnpipe.decoding.constraints import Constraints
from rnnpipe.decoding.decoded import Decoded
from rnnpipe.decoding.step import Step, check_count, check_lengths, first_tokens
from rnnpipe.decoding.walk import walk
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import END, START

# A share of all probability below one even after rounding, so that it falls on a token.
HIGHEST = 1.0 - 2.0**-20


def sample(
    step: Step,
    state: Any,
    *,
    max_length: int,
    seed: Any,
    longest: Any = None,
    samples: int = 1,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    start: Any = START,
    end: int = END,
    constraints: Constraints | None = None,
) -> Decoded:
    """Draws each token from the model's distribution, until all rows have ended or are full.

        yₜ ~ softmax(logits / temperature), cut to the likeliest tokens

    Args:
        step: as for `greedy`.
        state: the first state, whose rows are the batch.
        max_length: the greatest length, the end token included.
        seed: an integer, which gives the same sequences at each call, in a graph too (each backend,
            and XLA, draws its own); or a `keras.random.SeedGenerator`, which gives new ones.
        longest: the greatest length of each row, `(batch,)`, where they differ.
        samples: how many sequences are drawn for each row.
        temperature: above 0; small ones come near to `greedy`.
        top_k: draws from the k likeliest tokens only (Fan et al. 2018, section 5.1).
        top_p: draws from the fewest likeliest tokens only that together have this probability
            (Holtzman et al. 2020, section 3.1), after temperature and `top_k`.
        start: the first token that the step sees: one for all rows, or `(batch,)`.
        end: the end token.
        constraints: what the sequences may not be.

    Returns:
        A `Decoded` with `samples` sequences a row, as they were drawn. Its scores are
        log-probabilities under the model itself: temperature and cuts do not enter.

    Raises:
        UserError: if an argument is out of range, or the step returns something else.

    Example:
        >>> from keras import ops
        >>> def coin(tokens, state):  # heads, 4, or tails, 5
        ...     return ops.log(ops.array([[0.0, 0.0, 0.0, 0.0, 0.5, 0.5]])), state
        >>> drawn = sample(coin, ops.zeros((1,)), max_length=8, seed=1)
        >>> set(drawn.ids.numpy().flatten().tolist()) == {4, 5}
        True
    """
    check_lengths(max_length, end)
    _check(seed, samples, temperature, top_k, top_p)
    rows = ops.shape(first_tokens(start, state))[0] * samples
    shares = random_shares((rows, max_length), seed)

    def choose(log_probs: Any, t: Any) -> Any:
        share = ops.take(shares, t, axis=1)[:, None]
        return draw_tokens(log_probs, share, temperature=temperature, top_k=top_k, top_p=top_p)

    return walk(
        step,
        state,
        choose,
        start=start,
        end=end,
        max_length=max_length,
        longest=longest,
        constraints=constraints,
        copies=samples,
    )


def random_shares(shape: tuple[Any, ...], seed: Any) -> Any:
    """Random numbers from 0, included, to 1, excluded, for `draw_tokens`."""
    return keras.random.uniform(shape, maxval=HIGHEST, seed=seed)


def draw_tokens(
    logits: Any,
    share: Any,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """One step of `sample`: the token at which the cumulated probability passes a share of it.

    Args:
        logits: `(rows, vocab)`; -inf for a token that may not be drawn.
        share: `(rows, 1)`, of `random_shares`.
        temperature: as for `sample`.
        top_k: as for `sample`.
        top_p: as for `sample`.

    Returns:
        The tokens, `(rows,)`.

    Example:
        >>> from keras import ops
        >>> logits = ops.log(ops.array([[0.5, 0.25, 0.25]]))
        >>> [int(draw_tokens(logits, ops.array([[share]]))[0]) for share in (0.4, 0.6, 0.9)]
        [0, 1, 2]
    """
    logits = logits / temperature
    vocab, order = logits.shape[-1], None
    if top_k is not None or top_p is not None:
        logits, order = ranking.top_k(logits, min(top_k or vocab, vocab))
    weights = ops.exp(logits - ops.max(logits, axis=-1, keepdims=True))
    cumulated = ops.cumsum(weights, axis=-1)
    if top_p is not None:
        likeliest = cumulated - weights < top_p * cumulated[:, -1:]
        cumulated = ops.cumsum(ops.where(likeliest, weights, 0.0), axis=-1)
    passed = cumulated <= share * cumulated[:, -1:]
    place = ops.sum(ops.cast(passed, "int32"), axis=-1, keepdims=True)
    chosen = place if order is None else ops.take_along_axis(order, place, axis=1)
    return ops.cast(chosen[:, 0], "int32")


def _check(
    seed: Any, samples: int, temperature: float, top_k: int | None, top_p: float | None
) -> None:
    if not isinstance(seed, int | keras.random.SeedGenerator):
        raise UserError(
            "seed", "an integer or a keras.random.SeedGenerator", repr(seed), "write e.g. seed=1"
        )
    check_count("samples", samples, "e.g. samples=5")
    if not temperature > 0:
        raise UserError("temperature", "above 0", str(temperature), "for the likeliest, use greedy")
    if top_k is not None:
        check_count("top_k", top_k, "e.g. top_k=40, or None")
    if top_p is not None and not 0 < top_p <= 1:
        raise UserError("top_p", "above 0 and at most 1", str(top_p), "write e.g. top_p=0.9")
