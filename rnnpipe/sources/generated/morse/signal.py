"""Morse code as sound: when the key is down, its tone, and the noise over it."""

import math
from typing import Any

import numpy as np

from rnnpipe.sources.generated.morse.code import morse_units

Array = np.ndarray[Any, np.dtype[np.float64]]

_WORD_UNITS = 50  # of PARIS, the word that speeds are measured in, with the gap after it
_RAMP = 0.004  # seconds in which the tone rises and falls: a step would click at all frequencies


def key_text(
    text: str, *, words_per_minute: float, jitter: float, rng: np.random.Generator
) -> Array:
    """When the key is down: from, until, in seconds, `(marks, 2)`; from 0 on.

    Args:
        text: what is sent, see `morse_units`.
        words_per_minute: how fast; a dot lasts 1.2 s divided by that.
        jitter: standard deviation of the logarithm of the length of each mark and gap: about the
            share by which a hand misses it.
        rng: draws.
    """
    units = np.array(list(morse_units(text)), np.float64)  # (marks, 2): mark, gap
    lengths = units * (60 / _WORD_UNITS / words_per_minute)
    lengths *= np.exp(jitter * rng.standard_normal(lengths.shape))
    ends = np.cumsum(lengths.ravel()).reshape(lengths.shape)  # (marks, 2): of mark, of gap
    return np.stack([ends[:, 0] - lengths[:, 0], ends[:, 0]], axis=1)


def render_tone(marks: Array, *, pitch: float, rate: int, seconds: float) -> Array:
    """The tone that is heard while the key is down, with an amplitude of 1, `(samples,)`.

    Args:
        marks: when the key is down, see `key_text`.
        pitch: of the tone, in Hz.
        rate: samples per second.
        seconds: of the sound.
    """
    time = np.arange(round(seconds * rate)) / rate
    envelope = np.zeros_like(time)
    for start, end in marks:
        down = slice(max(0, int(start * rate)), int(end * rate) + 1)
        to_edge = np.minimum(time[down] - start, end - time[down]) / _RAMP
        envelope[down] = 0.5 - 0.5 * np.cos(np.pi * np.clip(to_edge, 0, 1))
    return envelope * np.sin(2 * np.pi * pitch * time)


def add_noise(tone: Array, snr: float, rng: np.random.Generator) -> Array:
    """The tone with white noise over it.

    Args:
        tone: with an amplitude of 1, `(samples,)`.
        snr: the ratio of the tone's power, while the key is down, to that of the noise at all
            frequencies, in dB.
        rng: draws.
    """
    deviation = math.sqrt(0.5 / 10 ** (snr / 10))
    return tone + deviation * rng.standard_normal(len(tone))
