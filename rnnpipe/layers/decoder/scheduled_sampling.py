"""How often a decoder in training reads its own words, and how that grows."""

import math
from collections.abc import Callable
from typing import Any

import keras

from rnnpipe.errors import UserError

Schedule = Callable[[int], float]
"""From the number of training steps done to a rate in [0, 1]."""


def linear_schedule(steps: int, final: float = 1.0) -> Schedule:
    """A rate that grows evenly from 0 to `final` in so many training steps, then stays.

        rate(i) = final · min(i / steps, 1)

    Args:
        steps: when `final` is reached.
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
    """A rate that grows as the trust in the given words decays by a factor at each step.

        rate(i) = 1 − baseⁱ

    Args:
        base: below 1.

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
    """A rate that starts low, grows fastest after about `pace` · log `pace` steps, and nears 1.

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
        decoder: an `AttentionDecoder` that was made with a `sampling_rate`.
        schedule: from the number of training steps done, those of earlier calls of `fit` included,
            to a rate: `linear_schedule`, `exponential_schedule`, `inverse_sigmoid_schedule`, or a
            function of your own.

    Raises:
        UserError: if the decoder was made without a sampling rate.

    Example:
        >>> from rnnpipe.layers import AdditiveAttention, AttentionDecoder, GRUCell
        >>> decoder = AttentionDecoder(
        ...     20, 8, GRUCell(16), AdditiveAttention(16), sampling_rate=0.0
        ... )
        >>> callback = ScheduledSampling(decoder, linear_schedule(10_000, final=0.25))

    Source: Bengio et al., Scheduled Sampling for Sequence Prediction with Recurrent Neural
    Networks, 2015, section 2.4, where ε is the rate of the given words: one less ours.
    """

    def __init__(self, decoder: Any, schedule: Schedule) -> None:
        super().__init__()
        if decoder.first_rate is None:
            raise UserError(
                "ScheduledSampling",
                "a decoder with a sampling rate",
                f"{decoder.name!r}, which was made without",
                "make it with sampling_rate=0.0",
            )
        self.decoder, self.schedule = decoder, schedule

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Sets the rate of this step."""
        del batch, logs
        step = int(self.model.optimizer.iterations)
        self.decoder.sampling_rate.assign(self.schedule(step))
