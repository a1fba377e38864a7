"""Every mechanism, how to make it, what it is compared with, and how to look with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.layers import (
    AdditiveAttention,
    CoverageAttention,
    DotAttention,
    GatedAttention,
    GeneralAttention,
    HardAttention,
    LocalAttention,
    LocationAttention,
    MonotonicAttention,
    MultiHeadAttention,
)
from tests.layers.attention import oracles
from tests.layers.attention.oracles import GLIMPSES, KERNEL_SIZE, MAX_FERTILITY, REACH, SHARPENING

BATCH, LOOKS, POSITIONS, FEATURES, UNITS = 3, 3, 6, 4, 5


@dataclass(frozen=True)
class Mechanism:
    """`make(**options)` makes it; the oracle says what comes of it."""

    make: Callable[..., Any]
    oracle: Callable[..., Any]
    query: int = 7
    grids: bool = True
    exact: bool = True  # whether rounding changes its alignments by no more than rounding
    smooth: bool = True  # whether its weights have gradients


def additive(**options):
    return AdditiveAttention(UNITS, GLIMPSES, **options)


def monotonic(**options):
    return lambda **o: MonotonicAttention(additive(**o), noise=0.0, **options)


def location(**options):
    kind = {"filters": 3, "kernel_size": KERNEL_SIZE, **options}
    return lambda **o: LocationAttention(UNITS, GLIMPSES, **kind, **o)


def local(**options):
    return LocalAttention(GeneralAttention(GLIMPSES, **options), units=3, reach=REACH)


MECHANISMS = {
    "additive": Mechanism(additive, oracles.additive),
    "normalised": Mechanism(lambda **o: additive(normalize=True, **o), oracles.normalised),
    "concat": Mechanism(lambda **o: additive(use_bias=False, **o), oracles.concat),
    "dot": Mechanism(DotAttention, oracles.dot, FEATURES),
    "scaled_dot": Mechanism(
        lambda **o: DotAttention(scale="sqrt", **o), oracles.scaled_dot, FEATURES
    ),
    "learned_dot": Mechanism(lambda **o: DotAttention("learned", **o), oracles.dot, FEATURES),
    "general": Mechanism(lambda **o: GeneralAttention(GLIMPSES, **o), oracles.general),
    "location": Mechanism(location(), oracles.location, grids=False),
    "cumulative_location": Mechanism(
        location(cumulative=True), oracles.cumulative_location, grids=False
    ),
    "sharpened_location": Mechanism(
        location(sharpening=SHARPENING), oracles.sharpened_location, grids=False
    ),
    "smoothed_location": Mechanism(
        location(sharpening=SHARPENING, smoothing=True), oracles.smoothed_location, grids=False
    ),
    "coverage": Mechanism(
        lambda **o: CoverageAttention(UNITS, GLIMPSES, max_fertility=MAX_FERTILITY, **o),
        oracles.coverage,
    ),
    "monotonic": Mechanism(monotonic(hard=False), oracles.expected_monotonic, grids=False),
    "hard_monotonic": Mechanism(
        monotonic(), oracles.hard_monotonic, grids=False, exact=False, smooth=False
    ),
    "local": Mechanism(local, oracles.local, grids=False, exact=False),
    "gated": Mechanism(lambda **o: GatedAttention(additive(**o)), oracles.gated),
    "gated_features": Mechanism(lambda **o: GatedAttention(additive(**o), True), oracles.gated),
    "hard": Mechanism(
        lambda **o: HardAttention(additive(**o), seed=5), oracles.hard, exact=False, smooth=False
    ),
    "multi_head": Mechanism(
        lambda **o: MultiHeadAttention(GLIMPSES, 3, 2, output_shape=5, **o), oracles.multi_head
    ),
}


def those(fits):
    """Parametrises a test over the mechanisms that fit."""
    names = [name for name, mechanism in MECHANISMS.items() if fits(mechanism)]
    return pytest.mark.parametrize("name", names)


every_mechanism = those(lambda mechanism: True)


def filled(layer, random, query, memory=(None, None, FEATURES)):
    """The layer, built, with distinct numbers in all weights."""
    layer.build((None, query), memory)
    values = [random.normal(size=w.shape) for w in layer.trainable_weights]
    for weight, value in zip(layer.trainable_weights, values, strict=True):
        weight.assign(value)
    return layer


def made(name, random, **options):
    """The mechanism, built and filled."""
    return filled(MECHANISMS[name].make(**options), random, MECHANISMS[name].query)


def looks(layer, queries, memory, mask=None, training=False):
    """Contexts `(batch, looks, ...)` and alignments, samples if hard, of one look after another."""
    memory = layer.blank(memory, mask)
    keys, state = layer.project(memory, mask), layer.first_state(memory, mask)
    contexts, rows = [], []
    for t in range(queries.shape[1]):
        context, alignments = layer(
            queries[:, t], memory, mask, keys=keys, state=state, training=training
        )
        state = layer.next_state(state, alignments)
        contexts.append(context)
        rows.append(samples(alignments))
    return keras.ops.stack(contexts, 1), keras.ops.stack(rows, 1)


def samples(alignments):
    return alignments["samples"] if isinstance(alignments, dict) else alignments


def given(random, name, looks=LOOKS, positions=POSITIONS, batch=BATCH):
    """Queries and a memory."""
    queries = random.normal(size=(batch, looks, MECHANISMS[name].query))
    return queries, random.normal(size=(batch, positions, FEATURES))


MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0], [0, 0, 1, 1, 0, 0]], bool)
