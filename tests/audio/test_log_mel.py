"""Log-mel features against a plain Fourier sum, in chunks and as a whole."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rnnpipe.audio import LogMel, LogMelOptions, LogMelStream, to_float, to_int16
from rnnpipe.audio.mel_filters import mel_filters
from rnnpipe.errors import UserError

SMALL = LogMelOptions(rate=1000, mels=5, window=0.06, hop=0.025, lowest=30.0, highest=450.0)
NOISE = np.random.default_rng(1).uniform(-0.5, 0.5, 700).astype("float32")


def mel(hertz):
    return 2595 * math.log10(1 + hertz / 700)


def plain_log_mel(samples, options, fft_length):
    """Sums over samples, frequencies and bands, one number after the other."""
    length, hop = options.window_length, options.hop_length
    window = [0.5 - 0.5 * math.cos(2 * math.pi * n / length) for n in range(length)]
    low, high = mel(options.lowest), mel(options.highest or options.rate / 2)
    step = (high - low) / (options.mels + 1)
    rows = []
    for start in range(0, len(samples) - length + 1, hop):
        power = []
        for k in range(fft_length // 2 + 1):
            angles = [2 * math.pi * k * n / fft_length for n in range(length)]
            frame = [float(samples[start + n]) * window[n] for n in range(length)]
            real = sum(x * math.cos(a) for x, a in zip(frame, angles, strict=True))
            imag = sum(x * math.sin(a) for x, a in zip(frame, angles, strict=True))
            power.append((real**2 + imag**2) / sum(w * w for w in window))
        row = []
        for band in range(options.mels):
            energy = 0.0
            for k, value in enumerate(power):
                distance = abs(mel(k * options.rate / fft_length) - low - (band + 1) * step)
                energy += value * max(0.0, 1 - distance / step)
            row.append(math.log(energy + 10 ** (options.floor / 10)))
        rows.append(row)
    return np.array(rows)


def test_features_are_those_of_a_plain_sum():
    for options in (SMALL, replace(SMALL, floor=-30.0)):
        expected = plain_log_mel(NOISE[:300], options, fft_length=64)
        np.testing.assert_allclose(LogMel(options)(NOISE[:300]), expected, rtol=0, atol=2e-6)


def test_the_loudest_band_is_that_of_the_tone():
    log_mel = LogMel(LogMelOptions())
    centres = 700 * (10 ** (np.linspace(mel(20), mel(8000), 42)[1:-1] / 2595) - 1)
    time = np.arange(1600) / 16000
    for band in (5, 17, 30):
        tone = 0.5 * np.sin(2 * np.pi * centres[band] * time)
        assert (log_mel(tone.astype("float32")).argmax(axis=1) == band).all()


def test_white_noise_has_its_variance_at_every_frequency():
    options = LogMelOptions(rate=8000, mels=20)
    noise = 0.1 * np.random.default_rng(2).standard_normal(80_000)
    energy = np.exp(LogMel(options)(noise.astype("float32"))).mean(axis=0)
    np.testing.assert_allclose(energy / LogMel(options).filters.sum(axis=1), 0.01, rtol=0.1)


def test_silence_is_the_floor():
    features = LogMel(LogMelOptions())(np.zeros(800, "float32"))
    np.testing.assert_array_equal(features, np.full((3, 40), np.log(1e-8), "float32"))


def test_what_is_fainter_than_the_floor_is_told_apart_no_more():
    faint, loud = 1e-3 * NOISE, 0.3 * NOISE
    low, high = (LogMel(replace(SMALL, floor=floor)) for floor in (-80.0, -20.0))
    assert np.ptp(low(faint)) > 10 * np.ptp(high(faint))
    np.testing.assert_allclose(high(faint), math.log(0.01), atol=1e-3)
    np.testing.assert_allclose(np.exp(high(loud)) - 0.01, np.exp(low(loud)) - 1e-8, atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 7, 25, 60, 61, 300, 700])
def test_a_stream_has_the_bits_of_the_whole(chunk):
    log_mel = LogMel(SMALL)
    stream = LogMelStream(log_mel)
    parts = [stream.push(NOISE[start : start + chunk]) for start in range(0, 700, chunk)]
    np.testing.assert_array_equal(np.concatenate(parts), log_mel(NOISE))


def test_long_sounds_have_the_frames_of_their_parts():
    log_mel = LogMel(SMALL)
    long = np.random.default_rng(3).uniform(-1, 1, 25 * 600).astype("float32")
    features = log_mel(long)
    for frame in (0, 255, 256, 511, 512, len(features) - 1):
        alone = log_mel(long[25 * frame : 25 * frame + 60])
        np.testing.assert_array_equal(alone, features[frame : frame + 1])


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 0), (1, 0), (59, 0), (60, 1), (84, 1), (85, 2), (110, 3)]
)
def test_only_whole_frames_count(samples, frames):
    log_mel = LogMel(SMALL)
    assert log_mel.count_frames(samples) == frames
    assert log_mel(NOISE[:samples]).shape == (frames, 5)
    assert log_mel(NOISE[:samples]).dtype == np.float32


def test_16_bits_survive_the_way_to_numbers_and_back():
    samples = np.arange(-32768, 32768).astype("int16")
    numbers = to_float(samples)
    assert numbers.dtype == np.float32
    assert (numbers.min(), numbers.max()) == (-1.0, 1 - 2**-15)
    np.testing.assert_array_equal(to_int16(numbers), samples)


@pytest.mark.parametrize(
    ("samples", "match"),
    [
        (np.zeros((9, 2), "float32"), r"\(samples,\), got the shape \(9, 2\)"),
        (np.zeros(9, "int16"), "floats from -1 to 1, got int16"),
    ],
)
def test_stereo_and_integers_are_refused(samples, match):
    for function in (LogMel(SMALL), LogMelStream(LogMel(SMALL)).push):
        with pytest.raises(UserError, match=match):
            function(samples)


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"hop": 0.03}, "hop"),
        ({"rate": 1000, "window": 0.001, "hop": 0.001}, "window"),
        ({"rate": 1000, "hop": 0.0001}, "hop"),
        ({"highest": 8001.0}, "highest"),
        ({"lowest": 8000.0}, "lowest"),
        ({"lowest": 300.0, "highest": 200.0}, "lowest"),
        ({"mels": 200}, "mels"),
        ({"mels": 0}, "LogMelOptions.mels"),
        ({"rate": 10}, "LogMelOptions.rate"),
    ],
)
def test_impossible_options_are_refused(options, where):
    with pytest.raises(UserError) as fault:
        LogMelOptions(**options)
    assert fault.value.where == where


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_the_defaults_suit_every_usual_rate(rate):
    options = LogMelOptions(rate=rate)
    assert (LogMel(options).filters.max(axis=1) > 0).all()


@pytest.mark.parametrize("lowest", [0.0, 300.0, 1234.5])
@pytest.mark.parametrize("length", [64, 128, 256])
def test_bands_without_a_frequency_are_counted(length, lowest):
    frequencies = np.fft.rfftfreq(length, 1 / 8000)
    options = {"rate": 8000, "window": length / 8000, "hop": length / 8000, "lowest": lowest}
    for mels in range(1, 80):
        empty = int((mel_filters(mels, frequencies, lowest, 4000).max(axis=1) == 0).sum())
        if empty:
            with pytest.raises(UserError, match=f"got {mels}, {empty} of them without a frequency"):
                LogMelOptions(mels=mels, **options)
        else:
            LogMelOptions(mels=mels, **options)
