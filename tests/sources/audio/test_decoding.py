"""Sound of any format, rate and channels as samples at one rate."""

import tracemalloc
from itertools import pairwise

import av
import numpy as np
import pytest

from rnnpipe.errors import BadRecord
from rnnpipe.sources.audio.decoding import read_sound
from tests.sources.audio.writing import encode, tone, write_wav

RATE = 16000
LOSSLESS = [
    ("a.wav", "pcm_s16le"),
    ("a.wav", "pcm_s32le"),
    ("a.wav", "pcm_s64le"),
    ("a.wav", "pcm_f32le"),
    ("a.wav", "pcm_f64le"),
    ("a.aiff", "pcm_s24be"),
    ("a.flac", "flac"),
    ("a.au", "pcm_s16be"),
    ("a.caf", "pcm_s16le"),
]
LOSSY = [
    ("a.mp3", "libmp3lame", 44100),
    ("a.opus", "libopus", 48000),
    ("a.mka", "libopus", 48000),
    ("a.wav", "pcm_mulaw", 8000),
    ("a.wav", "pcm_u8", 11025),
    ("a.flac", "flac", 96000),
]


def read(path, rate=RATE):
    return np.concatenate([chunk.samples for chunk in read_sound(path, rate)])


def clipped(path, rate=RATE):
    return np.concatenate([chunk.clipped for chunk in read_sound(path, rate)]).tolist()


def fault(path, rate=RATE):
    with pytest.raises(BadRecord) as caught:
        read(path, rate)
    return caught.value


@pytest.mark.parametrize(("name", "codec"), LOSSLESS)
def test_samples_without_loss_are_those_that_were_written(tmp_path, name, codec):
    samples = tone(0.3)
    encode(tmp_path / name, samples, codec=codec)
    np.testing.assert_allclose(read(tmp_path / name), samples * 32768, atol=1)


@pytest.mark.parametrize(("name", "codec", "rate"), LOSSY)
def test_sound_of_any_codec_and_rate_keeps_its_times(tmp_path, name, codec, rate):
    encode(tmp_path / name, tone(2, rate), rate, codec)
    found = read(tmp_path / name) / 32768
    assert len(found) == pytest.approx(2 * RATE, abs=0.005 * RATE)
    inside = slice(RATE // 4, RATE)  # a shift by one sample would be a difference of 0.09
    np.testing.assert_allclose(found[inside], tone(2)[inside], atol=0.03)


@pytest.mark.parametrize("source_rate", [8000, 11025, 16000, 44100, 48000])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_click_stays_where_it_is_at_any_rate(tmp_path, source_rate, rate):
    samples = np.zeros(source_rate)
    samples[source_rate // 2] = 0.9
    found = read(write_wav(tmp_path / "a.wav", samples, source_rate), rate)
    assert len(found) == rate
    assert abs(int(np.abs(found).argmax()) - rate // 2) <= 1


def test_channels_are_averaged(tmp_path):
    left, right = tone(0.2), tone(0.2, hertz=700)
    stereo = np.stack([left, right], axis=1)
    for path in (
        write_wav(tmp_path / "a.wav", stereo),
        encode(tmp_path / "a.flac", stereo),
    ):
        np.testing.assert_allclose(read(path) / 32768, (left + right) / 2, atol=1e-4)
    six = np.stack([left] * 6, axis=1)
    path = encode(tmp_path / "six.wav", six, codec="pcm_s16le")
    np.testing.assert_allclose(read(path) / 32768, left, atol=1e-4)


def test_a_gap_is_silence_of_its_length(tmp_path):
    path = encode(tmp_path / "a.mka", tone(1), codec="pcm_s16le", gap=0.5)
    found = read(path)
    assert len(found) == pytest.approx(1.5 * RATE, abs=20)
    assert not found[RATE // 2 + 20 : RATE - 20].any()
    np.testing.assert_allclose(found[-100:] / 32768, tone(1)[-100:], atol=1e-3)


def test_times_that_are_damaged_give_no_gap_of_hours(tmp_path):
    path = encode(tmp_path / "a.mka", tone(1), codec="pcm_s16le", gap=3600)
    assert str(fault(path)) == "decode sound: gaps of 3,600 seconds in 0 of sound"


def test_clipped_samples_are_those_of_three_in_a_row_at_full_scale(tmp_path):
    samples = tone(0.1, level=0.2)
    samples[100:110] = 1.0
    samples[200:202] = 1.0  # a peak
    samples[300:303] = -1.0
    expected = [*range(100, 110), *range(300, 303)]
    assert clipped(write_wav(tmp_path / "a.wav", samples)) == expected
    assert clipped(encode(tmp_path / "a24.wav", samples, codec="pcm_s24le")) == expected
    assert clipped(encode(tmp_path / "af.wav", 1.5 * samples, codec="pcm_f32le")) == expected
    half = np.stack([samples, 0 * samples], axis=1)  # in one of two channels
    assert clipped(write_wav(tmp_path / "b.wav", half)) == expected
    lower = clipped(write_wav(tmp_path / "c.wav", samples), 8000)
    assert lower == [*range(50, 55), 150, 151]


def test_a_loud_sine_is_not_clipped(tmp_path):
    assert clipped(write_wav(tmp_path / "a.wav", tone(1, hertz=100, level=1.0))) == []


@pytest.mark.parametrize("cut", [0.3, 0.9])
@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 16000),
        ("a.aiff", "pcm_s16be", 16000),
        ("a.flac", "flac", 16000),
        ("a.opus", "libopus", 48000),
        ("a.mp3", "libmp3lame", 44100),
        ("a.m4a", "aac", 44100),
        ("a.mka", "libopus", 48000),
    ],
)
def test_a_file_that_was_cut_off_is_refused(tmp_path, name, codec, rate, cut):
    path = encode(tmp_path / name, tone(2, rate), rate, codec)
    content = path.read_bytes()
    path.write_bytes(content[: int(cut * len(content))])
    assert fault(path).step == "decode sound"


@pytest.mark.parametrize(
    ("name", "codec"), [("a.flac", "flac"), ("a.wv", "wavpack"), ("a.opus", "libopus")]
)
def test_a_damaged_file_with_checksums_is_refused(tmp_path, name, codec):
    noise = np.random.default_rng(1).normal(size=48000) * 0.1
    path = encode(tmp_path / name, noise, 48000, codec)
    content = path.read_bytes()
    for place in range(len(content) // 3, len(content) - 200, len(content) // 12):
        damaged = bytearray(content)
        damaged[place] ^= 16
        path.write_bytes(damaged)
        assert fault(path).step == "decode sound"


@pytest.mark.parametrize("size", [b"\xff" * 4, b"\x00" * 4, b"\xf0\xff\xff\x7f"])
def test_a_wav_that_was_streamed_is_whole(tmp_path, size):
    path = write_wav(tmp_path / "a.wav", tone(0.5))
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = size
    path.write_bytes(content)
    assert len(read(path)) == RATE // 2


def test_a_wav_with_more_chunks_and_a_size_that_is_a_little_wrong_is_whole(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(0.5))
    content = path.read_bytes()
    chunk = b"LIST" + (5).to_bytes(4, "little") + b"INFOx\0"
    size = (len(content) + len(chunk)).to_bytes(4, "little")  # without the 8 that it should lack
    path.write_bytes(content[:4] + size + content[8:36] + chunk + content[36:])
    assert len(read(path)) == RATE // 2
    path.write_bytes(path.read_bytes()[:-2])
    assert "cut off" in fault(path).reason


@pytest.mark.parametrize(
    ("content", "step", "reason"),
    [
        (b"", "decode sound", "Invalid data"),
        (b"no sound at all, only some text\n" * 100, "decode sound", "Invalid data"),
        (b"#EXTM3U\n#EXTINF:9,\n/etc/a.wav\n", "decode sound", ""),
    ],
)
def test_what_is_no_sound_is_refused(tmp_path, content, step, reason):
    (tmp_path / "a.wav").write_bytes(content)
    found = fault(tmp_path / "a.wav")
    assert found.step == step
    assert reason in found.reason


def test_a_missing_file_is_a_fault_of_reading(tmp_path):
    found = fault(tmp_path / "a.wav")
    assert (found.step, found.reason) == ("read sound", "No such file or directory")


def test_a_picture_and_a_video_without_sound_are_refused(tmp_path, write_clip, shared_data):
    (tmp_path / "a.wav").write_bytes(
        next((shared_data / "bad_inputs" / "pillow").glob("*.jpg")).read_bytes()
    )
    assert fault(tmp_path / "a.wav").reason == "there is no sound in it"
    path = write_clip(tmp_path / "b.mp4", [0, 50, 100])
    assert fault(path).reason == "there is no sound in it"


def test_a_file_without_samples_is_refused(tmp_path):
    assert fault(write_wav(tmp_path / "a.wav", [])).reason == "it has no samples"


@pytest.mark.parametrize("rate", [1, 999, 3_000_000])
def test_absurd_rates_are_refused(tmp_path, rate):
    path = write_wav(tmp_path / "a.wav", tone(0.1), rate)
    assert f"{rate:,} samples per second, expected from 1,000" in fault(path).reason


def test_samples_that_are_no_numbers_are_refused(tmp_path):
    samples = tone(0.1)
    path = encode(tmp_path / "a.wav", samples, codec="pcm_f32le")
    content = bytearray(path.read_bytes())
    content[-4:] = np.float32(np.nan).tobytes()
    path.write_bytes(content)
    assert fault(path).reason == "samples that are no finite numbers"


def test_samples_beyond_full_scale_are_cut_off(tmp_path):
    path = encode(tmp_path / "a.wav", tone(0.1), codec="pcm_f64le")
    content = bytearray(path.read_bytes())
    content[-24:] = np.array([1e300, -1e300, 2.0]).tobytes()
    path.write_bytes(content)
    assert read(path)[-3:].tolist() == [32767, -32768, 32767]
    assert len(read(path, 8000)) == 800


def test_memory_does_not_grow_with_the_length_of_a_recording(tmp_path):
    peaks = []
    for seconds in (5, 60):
        path = write_wav(tmp_path / f"{seconds}.wav", tone(seconds, 8000), 8000)
        tracemalloc.start()
        assert sum(len(chunk.samples) for chunk in read_sound(path, RATE)) == seconds * RATE
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    first, second = peaks
    assert second < first + 50_000


def test_sound_of_a_video_begins_with_the_video(tmp_path):
    samples = tone(1)
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width = pictures.height = 16
        pictures.pix_fmt = "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for number in range(12):
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
            frame.pts = number
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode())
        stored = (samples * 32767).astype(np.int16)[None]
        heard = av.AudioFrame.from_ndarray(stored, format="s16", layout="mono")
        heard.sample_rate, heard.pts = RATE, RATE // 20  # less than what counts as a gap later on
        container.mux(sound.encode(heard))
        container.mux(sound.encode())
    found = read(tmp_path / "a.mkv")
    assert not found[: RATE // 20].any()
    np.testing.assert_allclose(found[RATE // 20 :] / 32768, samples, atol=1e-3)


def test_chunks_follow_each_other(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(1, 44100), 44100)
    chunks = list(read_sound(path, RATE))
    assert {chunk.source_rate for chunk in chunks} == {44100}
    assert all(len(first.samples) for first, _ in pairwise(chunks[1:]))
