"""Scheduled sampling (Bengio et al. 2015): in training a decoder reads some words of its own."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import keras
from keras import ops

from rnnpipe.errors import UserError
from rnnpipe.layers.decoder.scan import scan
from rnnpipe.layers.decoder.structures import DecoderState, Memory
from rnnpipe.types import Nested, Tensor

Schedule: TypeAlias = Callable[[int], float]
"""From the number of training steps so far to a sampling rate in [0, 1]."""


def linear_schedule(steps: int, final: float = 1.0) -> Schedule:
    """A rate that grows linearly from 0 to `final`, then stays.

        rate(i) = final · min(i / steps, 1)

    Args:
        steps: the number of training steps until `final` is reached.
        final: the greatest rate.

    Raises:
        UserError: if `steps` is not positive or `final` not in [0, 1].

    Example:
        >>> [linear_schedule(100, 0.5)(step) for step in (0, 50, 200)]
        [0.0, 0.25, 0.5]
    """
    if steps < 1:
        raise UserError("steps", "at least 1", str(steps), "write e.g. steps=10_000")
    if not 0 <= final <= 1:
        raise UserError("final", "a rate from 0 to 1", str(final), "write e.g. final=0.25")
    return lambda step: final * min(step / steps, 1.0)


def exponential_schedule(base: float) -> Schedule:
    """A rate that grows as the share of target words decays exponentially.

        rate(i) = 1 − baseⁱ

    Args:
        base: the decay of a step, between 0 and 1.

    Raises:
        UserError: if `base` is not between 0 and 1.

    Example:
        >>> [exponential_schedule(0.5)(step) for step in (0, 1, 2)]
        [0.0, 0.5, 0.75]
    """
    if not 0 < base < 1:
        raise UserError("base", "between 0 and 1", str(base), "write e.g. base=0.9999")
    return lambda step: 1.0 - base**step


def inverse_sigmoid_schedule(pace: float) -> Schedule:
    """A rate that grows as a sigmoid, fastest after about `pace` · log `pace` steps, towards 1.

        rate(i) = 1 − k / (k + exp(i / k)),   k the pace

    Args:
        pace: in training steps, at least 1.

    Raises:
        UserError: if `pace` is below 1.

    Example:
        >>> round(inverse_sigmoid_schedule(100)(0), 4)
        0.0099
    """
    if pace < 1:
        raise UserError("pace", "at least 1", str(pace), "write e.g. pace=2000")
    # The equation divided by exp(i / k), which would overflow.
    return lambda step: 1.0 / (1.0 + pace * math.exp(-step / pace))


class ScheduledSampling(keras.callbacks.Callback):
    """Sets the sampling rate of a decoder before each training step.

    Args:
        decoder: an `AttentionDecoder` with a `sampling_rate`.
        schedule: `linear_schedule`, `exponential_schedule`, `inverse_sigmoid_schedule`, or any
            function from the number of training steps, earlier calls of `fit` included, to a rate.

    Raises:
        UserError: if the decoder has no sampling rate.

    Example:
        >>> from rnnpipe.layers import AdditiveAttention, AttentionDecoder, GRUCell
        >>> decoder = AttentionDecoder(
        ...     20, 8, GRUCell(16), AdditiveAttention(16), sampling_rate=0.0
        ... )
        >>> callback = ScheduledSampling(decoder, linear_schedule(10_000, final=0.25))

    Source: Bengio et al., Scheduled Sampling for Sequence Prediction with Recurrent Neural
    Networks, 2015, section 2.4, where ε is the share of target words: 1 − rate.
    """

    def __init__(self, decoder: Any, schedule: Schedule) -> None:
        super().__init__()
        if decoder.initial_sampling_rate is None:
            raise UserError(
                "ScheduledSampling",
                "a decoder with a sampling rate",
                f"{decoder.name!r} without one",
                "pass sampling_rate=0.0 to the decoder",
            )
        self.decoder, self.schedule = decoder, schedule

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the rate of this step."""
        del batch, logs
        step = int(self.model.optimizer.iterations)
        self.decoder.sampling_rate.assign(self.schedule(step))


def unroll_sampling(
    decoder: Any, tokens: Tensor, memory: Memory, state: DecoderState, rate: Tensor
) -> tuple[Tensor, Nested[Tensor]]:
    """Logits and alignments of all steps, each of which reads a target word or a sampled one.

    With probability `rate` that is a word sampled from the logits of the previous step.

    Args:
        decoder: the built decoder.
        tokens: the target words, `(batch, time)`.
        memory: what the attention reads.
        state: the first state.
        rate: from 0 to 1.
    """
    targets = ops.cast(tokens, "float32")[:, :, None]  # exact up to 16 million tokens
    no_sample = ops.zeros_like(tokens[:, 0])
    rate = ops.cast(rate, "float32")
    is_first = ops.ones_like(no_sample, dtype="bool")
    decoder.cell.draw_dropout(decoder.embed(tokens[:, 0]), state)

    def step(inputs: Tensor, carry: Any) -> tuple[Nested[Tensor], Any]:
        state, sample, is_first = carry
        drawn = keras.random.uniform(ops.shape(sample), dtype="float32", seed=decoder.random)
        use_sample = drawn < rate
        # Nothing has been sampled before the first word.
        use_sample = ops.logical_and(use_sample, ops.logical_not(is_first))
        token = ops.where(use_sample, sample, ops.cast(inputs[:, 0], sample.dtype))
        word = decoder.dropout(decoder.embed(token), training=True)
        outputs, state = decoder.cell(word, DecoderState(*state), memory, training=True)
        logits = decoder.logits(word, outputs, training=True)
        sample = keras.random.categorical(
            ops.cast(logits, "float32"), 1, dtype=sample.dtype, seed=decoder.random
        )
        return (logits, outputs.alignments), (state, sample[:, 0], ops.zeros_like(is_first))

    carry = (state, no_sample, is_first)
    logits, alignments = scan(step, targets, carry, random_layer=decoder)
    decoder.cell.reset_dropout()
    return logits, alignments
