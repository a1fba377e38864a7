"""Morse code as WAV files, which a plain receiver reads back."""

import csv
import wave
from itertools import groupby

import numpy as np
import pytest

from rnnpipe.sources.generated.morse.code import MORSE
from rnnpipe.sources.generated.morse.writer import TABLE, Transmission, write_morse

RATE = 4000
LETTERS = {code: letter for letter, code in MORSE.items()}


def write(folder, **changes):
    how = {
        "most_words": 2,
        "speeds": (20.0, 30.0),
        "pitches": (400.0, 800.0),
        "jitter": 0.05,
        "snr": 20.0,
        "test_snrs": None,
        "rate": RATE,
    } | changes
    folder.mkdir()
    write_morse(folder, 10, Transmission(**how), seed=3, progress=lambda done, total: None)
    with (folder / TABLE).open(newline="") as file:
        return list(csv.DictReader(file))


def read_wav(path):
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def receive(samples, speed):
    """The text, by how long the sound is loud and how long it is quiet."""
    loudness = np.sqrt(np.convolve(samples**2, np.ones(40) / 40, "same"))
    runs = [(on, len(list(run))) for on, run in groupby(loudness > loudness.max() / 2)]
    dot = 1.2 / speed * RATE
    code = ""
    for on, length in runs[1:-1]:
        if on:
            code += "-" if length > 2 * dot else "."
        else:
            code += " / " if length > 5 * dot else " " if length > 2 * dot else ""
    words = code.split(" / ")
    return " ".join("".join(LETTERS[letter] for letter in word.split()) for word in words)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("morse") / "a"
    return folder, write(folder)


def test_every_file_says_its_text(data):
    folder, rows = data
    assert [row["split"] for row in rows] == ["train"] * 10 + ["validation"] * 2 + ["test"] * 2
    for row in rows:
        speed = float(row["words_per_minute"])
        assert 20 <= speed <= 30
        assert receive(read_wav(folder / row["file"]), speed) == row["text"]


def test_files_have_their_pitch_and_are_not_clipped(data):
    folder, rows = data
    for row in rows:
        samples = read_wav(folder / row["file"])
        assert 0.19 < abs(samples).max() < 0.91
        power = abs(np.fft.rfft(samples)) ** 2
        loudest = np.fft.rfftfreq(len(samples), 1 / RATE)[power.argmax()]
        assert loudest == pytest.approx(float(row["pitch"]), abs=2)


def test_equal_settings_write_equal_bytes(data, tmp_path):
    folder, rows = data
    write(tmp_path / "b")
    for name in [TABLE, *(row["file"] for row in rows)]:
        assert (tmp_path / "b" / name).read_bytes() == (folder / name).read_bytes()


def test_the_test_split_is_there_at_each_level_of_noise(data, tmp_path):
    _, rows = data
    noisy = write(tmp_path / "c", test_snrs=(20.0, 0.0, -5.0))
    assert noisy[:12] == rows[:12]
    test = noisy[12:]
    assert [row["snr"] for row in test] == ["20", "0", "-5"] * 2
    assert [row["speaker"] for row in test[:3]] == ["snr 20 dB", "snr 0 dB", "snr -5 dB"]
    columns = ("text", "words_per_minute", "pitch")
    for level in range(3):
        for before, after in zip(rows[12:], test[level::3], strict=True):
            assert [before[name] for name in columns] == [after[name] for name in columns]
    lengths = {len(read_wav(tmp_path / "c" / row["file"])) for row in test[:3]}
    assert len(lengths) == 1
    assert len({row["file"] for row in noisy}) == len(noisy)
