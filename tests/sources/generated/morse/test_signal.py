"""Morse code as sound."""

import numpy as np
import pytest

from rnnpipe.sources.generated.morse.signal import add_noise, key_text, render_tone


def key(text, jitter=0.0, speed=20, seed=1):
    rng = np.random.default_rng(seed)
    return key_text(text, words_per_minute=speed, jitter=jitter, rng=rng)


def test_a_steady_hand_keys_dots_of_60_ms_at_20_words_per_minute():
    # e, gap of three dots, n (dash, gap of one dot, dot), gap of seven dots, e
    expected = [[0, 1], [4, 7], [8, 9], [16, 17]]
    np.testing.assert_allclose(key("en e"), np.array(expected) * 0.06, atol=1e-12)


def test_a_minute_has_as_many_words_as_its_speed():
    # 30 times paris, of which the last has no gap after it.
    assert key(" ".join(["paris"] * 30), speed=30)[-1, 1] == pytest.approx(60 * (1500 - 7) / 1500)


def test_jitter_is_the_deviation_of_every_length():
    marks = key("ee " * 1999 + "ee", jitter=0.2)
    dots, gaps = marks[:, 1] - marks[:, 0], (marks[1:, 0] - marks[:-1, 1]).reshape(-1)
    units = np.where(np.arange(len(gaps)) % 2, 7, 3)
    for lengths in (dots / 0.06, gaps / (0.06 * units)):
        logarithms = np.log(lengths)
        assert logarithms.mean() == pytest.approx(0, abs=0.02)
        assert logarithms.std() == pytest.approx(0.2, rel=0.05)


def test_the_tone_is_heard_while_the_key_is_down_and_at_its_pitch_alone():
    marks = np.array([[0.1, 0.3], [0.5, 0.6]])
    tone = render_tone(marks, pitch=700.0, rate=8000, seconds=0.8)
    assert len(tone) == 6400
    time = np.arange(6400) / 8000
    down = np.zeros(6400, bool)
    for start, end in marks:
        down |= (start < time) & (time < end)
    assert not tone[~down].any()
    inner = (time > 0.11) & (time < 0.29)
    np.testing.assert_allclose(tone[inner], np.sin(2 * np.pi * 700 * time[inner]), atol=1e-9)
    power = abs(np.fft.rfft(tone)) ** 2
    frequencies = np.fft.rfftfreq(6400, 1 / 8000)
    near = abs(frequencies - 700) < 150
    assert power[~near].sum() < 1e-3 * power.sum()  # a key without ramps would click


@pytest.mark.parametrize("snr", [20.0, 0.0, -6.0])
def test_noise_has_the_power_of_the_ratio(snr):
    tone = np.sin(np.arange(50_000) * 0.3)
    noise = add_noise(tone, snr, np.random.default_rng(1)) - tone
    assert 10 * np.log10((tone**2).mean() / (noise**2).mean()) == pytest.approx(snr, abs=0.1)
