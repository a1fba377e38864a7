"""Architectures, readouts and schedules of decoders."""

import math
from typing import Any

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.attention import AdditiveAttentionOptions
from rnnpipe.parts.cells import LSTMOptions
from rnnpipe.parts.decoder import DecoderOptions, LinearSamplingOptions, ScheduledSamplingOptions
from tests.parts.common import check_round_trip

SCHEDULES: dict[str, Any] = ScheduledSamplingOptions.kinds.load()
ATTENTION = AdditiveAttentionOptions(units=3)


@pytest.mark.parametrize("output", ["tanh", "deep", "maxout", "plain", "state"])
@pytest.mark.parametrize(
    ("architecture", "depth"), [("luong", 1), ("luong", 2), ("bahdanau", 2), ("top_down", 2)]
)
def test_every_architecture_has_every_readout(architecture, depth, output):
    decoder = DecoderOptions(
        cell=LSTMOptions(units=4),
        depth=depth,
        attention=ATTENTION,
        architecture=architecture,
        output=output,
        dropout=0.1,
    ).make(9, 4)
    logits, alignments = decoder(np.ones((2, 3), "int32"), np.zeros((2, 5, 6), "float32"))
    assert tuple(logits.shape) == (2, 3, 9)
    assert tuple(alignments.shape) == (2, 3, 1, 5)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules_of_sampling_grow(kind):
    schedule = SCHEDULES[kind]().make_schedule()
    rates = [schedule(step) for step in (0, 1000, 100_000)]
    assert 0 <= rates[0] < rates[1] < rates[2] <= 1
    check_round_trip(ScheduledSamplingOptions, SCHEDULES[kind]())


def test_schedules_are_those_of_the_paper():
    assert LinearSamplingOptions(steps=10, final=0.5).make_schedule()(5) == 0.25
    exponential = SCHEDULES["exponential"](base=0.5).make_schedule()
    assert exponential(3) == pytest.approx(1 - 0.5**3)
    sigmoid = SCHEDULES["inverse_sigmoid"](pace=10.0).make_schedule()
    assert sigmoid(20) == pytest.approx(1 - 10 / (10 + math.exp(2)))


def test_only_a_decoder_with_scheduled_sampling_has_a_rate():
    schedule = LinearSamplingOptions(steps=4, final=0.5)
    options = DecoderOptions(attention=ATTENTION, scheduled_sampling=schedule)
    callback = schedule.make_callback(options.make(9, 4))
    assert [callback.schedule(step) for step in (0, 2, 9)] == [0, 0.25, 0.5]
    with pytest.raises(UserError, match="expected a decoder with a sampling rate"):
        schedule.make_callback(DecoderOptions(attention=ATTENTION).make(9, 4))


def test_impossible_combinations_are_refused():
    with pytest.raises(UserError, match="depth: expected at least 2 with top_down, got 1"):
        DecoderOptions(architecture="top_down")
    with pytest.raises(UserError, match="attention: expected a mechanism, got none"):
        DecoderOptions(attention=None).make(9, 4)


def test_settings_survive_yaml_and_pickling():
    options = DecoderOptions(
        attention=None, output_size=3, scheduled_sampling=LinearSamplingOptions()
    )
    check_round_trip(DecoderOptions, options)
