"""Monotonic attention (Raffel et al. 2017)."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention.mechanism import Attention
from rnnpipe.layers.attention.wrapper import AttentionWrapper
from rnnpipe.layers.errors import is_number, layer_error
from rnnpipe.types import Nested, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class MonotonicAttention(AttentionWrapper):
    """Monotonic attention: it moves forward through a sequence, and stops once at each step.

        pᵢ = σ(eᵢ + r + noise)     αᵢ = pᵢ Σⱼ≤ᵢ α_before,ⱼ Πⱼ≤ₗ<ᵢ (1 − pₗ)

    From where it stopped before, it goes on from position to position and stops at i with chance
    pᵢ. Training takes the expectation αᵢ, in parallel over positions; inference is hard: it stops
    at the first position with eᵢ + r > 0, which needs no later part of the memory. Chance that
    passes the end is lost: alignments sum to at most 1, and after a step that stopped nowhere
    they are zero.

    The state is that of the mechanism and the last alignments, `(batch, glimpses, source_time)`,
    which begin at the first position. The weights are `score_bias` (glimpses) and those of the
    mechanism.

    Args:
        mechanism: any `Attention` that aligns by softmax; the paper's is
            `AdditiveAttention(units, normalize=True)`.
        noise: standard deviation of the noise in training, which drives p to 0 or 1.
        score_bias: first value of r; if negative (the longer the sequences, the more), untrained
            attention reaches further.
        hard: whether inference is hard; if not, it takes the expectation as training does.
        seed: of the noise.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Raises:
        UserError: as `Attention`; or if `mechanism` does not fit, or `noise` is negative.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import AdditiveAttention
        >>> query, memory = numpy.ones((1, 8)), numpy.ones((1, 4, 6))
        >>> attention = MonotonicAttention(AdditiveAttention(16, normalize=True), score_bias=9.0)
        >>> state = attention.first_state(memory)
        >>> context, alignments = attention(query, memory, state=state)
        >>> alignments.numpy().tolist()  # it stops at once
        [[[1.0, 0.0, 0.0, 0.0]]]

    Source: Raffel et al., Online and Linear-Time Attention by Enforcing Monotonic Alignments, 2017,
    sections 2.2 to 2.5. The expectation is computed as a linear recurrence in log₂(source_time)
    steps, which does not lose chance where the paper's quotient of products underflows.
    """

    memory_ranks = (3,)
    replaces_softmax = True

    def __init__(
        self,
        mechanism: Attention,
        *,
        noise: float = 1.0,
        score_bias: float = 0.0,
        hard: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(mechanism, **kwargs)
        if not is_number(noise) or noise < 0:
            raise layer_error(self, "noise of at least 0", str(noise), "write e.g. noise=1.0")
        self.noise, self.first_bias, self.hard, self.seed = noise, score_bias, hard, seed
        self.random = keras.random.SeedGenerator(seed)

    def build_scores(self, query_features: int, memory_features: int) -> None:
        """Creates the bias of the score."""
        del query_features, memory_features
        start = keras.initializers.Constant(self.first_bias)
        self.score_bias = self.add_weight((self.glimpses,), start, name="score_bias")

    def first_state(self, memory: Tensor, mask: Tensor = None) -> Tensor:
        """First state of the mechanism, and all chance at the first position."""
        batch, length, _ = ops.shape(memory)
        first = ops.cast(ops.equal(ops.arange(length, dtype="int32"), 0), self.compute_dtype)
        before = ops.broadcast_to(first, (batch, self.glimpses, length))
        return super().first_state(memory, mask), before

    def next_state(self, state: Nested[Tensor], alignments: Tensor) -> Tensor:
        """Next state of the mechanism, and the alignments."""
        return super().next_state(state[0], alignments), alignments

    def scores(self, query: Tensor, keys: Tensor, state: Nested[Tensor], training: bool) -> Tensor:
        """Scores of the mechanism, with bias and, in training, noise."""
        scores = super().scores(query, keys, state[0], training) + self.score_bias[:, None]
        if not training or not self.noise:
            return scores
        drawn = keras.random.normal(ops.shape(scores), dtype=scores.dtype, seed=self.random)
        return scores + self.noise * drawn

    def align(
        self, scores: Tensor, readable: Tensor, query: Tensor, state: Nested[Tensor], training: bool
    ) -> Tensor:
        """Where it stops: the position at inference, its expectation in training."""
        del query
        exact = "float64" if self.compute_dtype == "float64" else "float32"
        scores, before = ops.cast(scores, exact), ops.cast(state[1], exact)
        if readable is not None:
            scores = ops.where(readable[:, None, :], scores, -float("inf"))
        hard = self.hard and not training
        alignments = _first_stop(scores, before) if hard else _expected_stop(scores, before)
        return ops.cast(alignments, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "noise": self.noise,
            "score_bias": self.first_bias,
            "hard": self.hard,
            "seed": self.seed,
        }


def _first_stop(scores: Tensor, before: Any) -> Tensor:
    """One at the first position, from the one before on, whose score is positive."""
    stops = ops.logical_and(scores > 0, ops.cumsum(before, axis=-1) > 0)
    stops = ops.cast(stops, scores.dtype)
    return stops * ops.cast(ops.cumsum(stops, axis=-1) == 1, scores.dtype)


def _expected_stop(scores: Tensor, before: Any) -> Tensor:
    """αᵢ = pᵢ xᵢ, where xᵢ = (1 − pᵢ₋₁) xᵢ₋₁ + α_before,ᵢ is the chance to come to i."""
    return ops.sigmoid(scores) * _recurrence(_shift(ops.sigmoid(-scores), 1), before)


def _recurrence(factor: Any, term: Any) -> Tensor:
    """xᵢ = factorᵢ xᵢ₋₁ + termᵢ over the last axis, by doubling the reach in each step."""

    def double(reach: Any, factor: Any, term: Any) -> tuple[Any, Any, Any]:
        return reach * 2, factor * _shift(factor, reach), term + factor * _shift(term, reach)

    length, reach = ops.shape(factor)[-1], 1
    if not isinstance(length, int):
        # XLA differentiates only loops whose number of steps has a bound; lengths fit 32 bits.
        return ops.while_loop(
            lambda reach, *_: reach < length, double, (reach, factor, term), maximum_iterations=31
        )[2]
    while reach < length:
        reach, factor, term = double(reach, factor, term)
    return term


def _shift(x: Any, places: Any) -> Tensor:
    """The last axis moved towards its end, with zeros at its beginning."""
    inside = ops.arange(ops.shape(x)[-1], dtype="int32") >= places
    return ops.where(inside, ops.roll(x, places, axis=-1), ops.zeros_like(x))
