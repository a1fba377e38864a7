"""A recurrent decoder that attends, and what goes with it."""

from rnnpipe.layers.decoder.bridge import Bridge
from rnnpipe.layers.decoder.decoder import AttentionDecoder
from rnnpipe.layers.decoder.scheduled_sampling import (
    ScheduledSampling,
    exponential_schedule,
    inverse_sigmoid_schedule,
    linear_schedule,
)

__all__ = [
    "AttentionDecoder",
    "Bridge",
    "ScheduledSampling",
    "exponential_schedule",
    "inverse_sigmoid_schedule",
    "linear_schedule",
]
