"""Spans of a recording, cut at given times."""

import numpy as np
import pytest

from rnnpipe.errors import BadRecord
from rnnpipe.sources.audio import recording as module
from rnnpipe.sources.audio.decoding import read_sound
from rnnpipe.sources.audio.recording import Recording
from tests.sources.audio.writing import encode, tone, write_wav

RATE = 8000


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Ten seconds of which every sample tells its place."""
    samples = np.arange(10 * RATE) % 30000 / 32768
    return write_wav(tmp_path_factory.mktemp("sounds") / "a.wav", samples, RATE)


@pytest.fixture
def opened(monkeypatch):
    """How often a file is decoded from its start on."""
    paths = []

    def read(path, rate):
        paths.append(path)
        return read_sound(path, rate)

    monkeypatch.setattr(module, "read_sound", read)
    return paths


def expected(start, end):
    return np.arange(round(start * RATE), round(end * RATE)) % 30000


@pytest.mark.parametrize(
    "spans",
    [
        [(0, 1), (1, 2.5), (7, 9)],
        [(0.0001, 0.0005), (3.33333, 3.5)],
        [(2, 6), (2.5, 3), (4, 8)],  # that overlap
        [(8, 9), (0, 2)],  # in no order
        [(0, 10), (9.999, 10)],
    ],
)
def test_spans_are_cut_to_the_sample_in_whatever_order(path, spans):
    recording = Recording(path, RATE)
    for start, end in spans:
        np.testing.assert_array_equal(recording.read(start, end).samples, expected(start, end))


def test_without_times_it_is_the_whole_file(path):
    assert len(Recording(path, RATE).read().samples) == 10 * RATE
    assert len(Recording(path, RATE).read(9).samples) == RATE
    assert len(Recording(path, RATE).read(None, 2).samples) == 2 * RATE


def test_spans_in_order_decode_a_file_once(path, opened):
    recording = Recording(path, RATE)
    for start in range(9):
        recording.read(start, start + 1.5 if start < 8 else 10)
    assert len(opened) == 1
    recording.read(0, 1)
    assert len(opened) == 2


def test_one_span_is_held_at_a_time(path):
    recording = Recording(path, RATE)
    for start in range(9):
        recording.read(start, start + 1)
        assert sum(map(len, recording._held)) < 1.3 * RATE


def test_reading_stops_one_sample_after_what_is_allowed(path):
    recording = Recording(path, RATE)
    assert len(recording.read(1, None, 2).samples) == 2 * RATE + 1
    assert len(recording.read(1, 3, 2).samples) == 2 * RATE
    assert recording._next < 4 * RATE


def test_a_span_beyond_the_end_is_refused(path):
    recording = Recording(path, RATE)
    with pytest.raises(BadRecord) as caught:
        recording.read(9, 10.02)
    assert str(caught.value) == "match times: the text goes to 10.02 seconds, the sound to 10"
    with pytest.raises(BadRecord, match="begins at 10 seconds, the sound ends before"):
        recording.read(10)
    assert len(recording.read(9, 10.005).samples) == RATE  # that was rounded up


def test_spans_before_damage_are_read_and_those_after_it_are_not(tmp_path, opened):
    path = encode(tmp_path / "a.flac", tone(4))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    recording = Recording(path, 16000)
    assert len(recording.read(0, 1).samples) == 16000
    for _ in range(2):
        with pytest.raises(BadRecord, match="Invalid data"):
            recording.read(3, 3.5)
    assert len(opened) == 1


def test_clipped_samples_are_counted_by_span(tmp_path):
    samples = tone(3, level=0.2)
    samples[16000:16010] = 1
    recording = Recording(write_wav(tmp_path / "a.wav", samples), 16000)
    assert [recording.read(t, t + 1).clipped for t in (0, 1, 2)] == [0, 10, 0]
    assert recording.read(0.9, 1 + 5 / 16000).clipped == 5
    assert recording.read().source_rate == 16000


def test_a_span_is_the_same_whatever_was_read_before(tmp_path):
    path = encode(tmp_path / "a.mp3", tone(3, 44100), 44100, "libmp3lame")
    alone = Recording(path, 16000).read(1.2, 2.1).samples
    recording = Recording(path, 16000)
    recording.read(0.3, 1.9)
    np.testing.assert_array_equal(recording.read(1.2, 2.1).samples, alone)
