import dataclasses
import itertools
import struct
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from rnnpipe.errors import BadRecord
from rnnpipe.sources.images.decoding import square
from rnnpipe.sources.videos.decoding import MAX_STILL, find_duration, read_video, sample_pictures
from rnnpipe.sources.videos.framing import Framing

TICK = Fraction(1, 100)


def level(shown):
    return float(np.asarray(Framing(8, "stretch", box=None)(shown)).mean())


@pytest.fixture
def write_uneven(tmp_path):
    """Writes a video whose frames appear at given hundredths of a second, each of its own grey."""

    def write(ticks, suffix="mkv"):
        path = tmp_path / f"uneven.{suffix}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=10)
            stream.width = stream.height = 16
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = TICK
            for number, tick in enumerate(ticks):
                image = Image.new("RGB", (16, 16), (20 * number,) * 3)
                frame = av.VideoFrame.from_image(image)
                frame.pts, frame.time_base = tick, TICK
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write


@pytest.mark.parametrize("rate", [3, 5, 12.5, 50])
def test_frames_are_those_on_show_at_each_time_whatever_the_rate_does(write_uneven, rate):
    ticks = [0, 4, 50, 52, 55, 90, 140]
    sampled = list(sample_pictures(read_video(write_uneven(ticks)), rate))
    times = (np.arange(len(sampled)) + 0.5) / rate
    expected = np.searchsorted(ticks, times * 100 + 1e-9, side="right") - 1
    assert [shown.index for _, shown in sampled] == expected.tolist()
    np.testing.assert_allclose([float(time) for time, _ in sampled], times)
    assert times[-1] < 1.5 <= times[-1] + 1 / rate  # the last frame lasts a tenth of a second
    np.testing.assert_allclose([level(s) for _, s in sampled], 20 * expected, atol=4)


def test_times_start_at_the_first_frame(write_uneven):
    shown = list(read_video(write_uneven([300, 320, 350])))
    assert [float(each.start) for each in shown] == [0, 0.2, 0.5]
    assert [each.end for each in shown[:2]] == [each.start for each in shown[1:]]
    assert float(find_duration(write_uneven([300, 320, 350]))) == pytest.approx(0.6)


def test_at_its_own_rate_each_frame_comes_once(shared_data):
    path = next((shared_data / "grid_s1" / "original").glob("*.mpg"))
    with av.open(str(path)) as container:
        oracle = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    sampled = [shown for _, shown in sample_pictures(read_video(path), 25)]
    assert [shown.index for shown in sampled] == list(range(75))
    for index in (0, 37, 74):
        image = square(Image.fromarray(oracle[index]), 64, "crop")
        np.testing.assert_array_equal(Framing(64, "crop", box=None)(sampled[index]), image)
    assert find_duration(path) == 3


def test_frames_that_carry_the_times_of_their_packets_come_in_order(shared_data):
    for path in (shared_data / "video_misc").glob("*.avi"):
        shown = list(read_video(path))
        assert all(one.start < two.start for one, two in itertools.pairwise(shown))
        assert float(shown[-1].end) == pytest.approx(float(find_duration(path)), abs=0.1)


def test_frames_are_turned_upright(shared_data):
    path = shared_data / "bad_inputs" / "video" / "video_90.mov"
    with av.open(str(path)) as container:
        lying = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert lying.shape == (320, 568, 3)
    (shown, *_) = read_video(path)
    upright = square(Image.fromarray(np.rot90(lying, k=-1)), 64, "pad")
    np.testing.assert_array_equal(Framing(64, "pad", box=None)(shown), upright)
    lower = square(Image.fromarray(np.rot90(lying, k=-1)[284:, 80:240]), 64, "stretch")
    framing = Framing(64, "stretch", (0.25, 0.5, 0.75, 1))
    np.testing.assert_array_equal(framing(shown), lower)


def test_pixels_that_are_not_square_become_so_where_the_shape_counts(shared_data):
    shown = next(read_video(shared_data / "video_misc" / "mmaction2_demo.mp4"))  # 340 by 256
    rows = np.asarray(Framing(90, "pad", box=None)(shown)).max(axis=(1, 2)) > 30
    assert rows.sum() == pytest.approx(90 * 256 / (340 * 64 / 51), abs=1)


@pytest.mark.parametrize(
    ("name", "step", "reason"),
    [
        ("derived/empty.mp4", "decode video", "Invalid data found"),
        ("derived/text_inside.avi", "decode video", "Invalid data found"),
        ("derived/truncated_60.mp4", "decode video", "Invalid data found"),
        ("video/corrupted.mp4", "decode video", "Invalid data found .*, after 28 pictures"),
        ("not_there.mp4", "read video", "No such file"),
        (".", "read video", "Is a directory"),
    ],
)
def test_a_file_that_is_no_video_is_reported(shared_data, name, step, reason):
    with pytest.raises(BadRecord, match=reason) as bad:
        list(read_video(shared_data / "bad_inputs" / name))
    assert bad.value.step == step


def test_a_file_of_sound_alone_is_refused(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), "int16"), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
    for read in (find_duration, lambda path: list(read_video(path))):
        with pytest.raises(BadRecord, match="there is no video in it"):
            read(path)


def test_the_intact_part_of_a_truncated_video_is_read(shared_data):
    path = shared_data / "bad_inputs" / "derived" / "truncated_half.mpg"
    assert len(list(read_video(path))) == 37
    assert float(find_duration(path)) == 1.48


QUARTERS = {"TL": (220, 30, 30), "TR": (30, 200, 30), "BL": (30, 30, 220), "BR": (230, 220, 30)}
FORMATS = {"mp4": "libx264", "mov": "mpeg4", "mkv": "mpeg4", "avi": "mpeg4", "mpg": "mpeg2video"}


def write_video(path, pictures, codec="libx264", rate=25, pixels="yuv420p", times=None):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = pixels
        if times:
            stream.codec_context.time_base = TICK
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_image(picture)
            if times:
                frame.pts, frame.time_base = times[number], TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
def quarters():
    """A picture of four colours: red, green; blue, yellow."""
    image = Image.new("RGB", (64, 48))
    for at, colour in enumerate(QUARTERS.values()):
        image.paste(
            colour, (32 * (at % 2), 24 * (at // 2), 32 * (at % 2) + 32, 24 * (at // 2) + 24)
        )
    return image


def patch_header(path, atom, offset, values):
    """Writes 16.16 (or 32-bit) numbers into the only atom of that name."""
    data = bytearray(path.read_bytes())
    start = data.index(atom) + 4 + offset
    data[start : start + 4 * len(values)] = struct.pack(f">{len(values)}i", *values)
    path.write_bytes(data)


def corners(image):
    """Which quarter of the original each quarter shows, from the top left on."""
    side = image.width
    points = [(x, y) for y in (side // 4, 3 * side // 4) for x in (side // 4, 3 * side // 4)]
    return [
        min(QUARTERS, key=lambda name: sum(abs(np.subtract(QUARTERS[name], image.getpixel(point)))))
        for point in points
    ]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), "TL TR BL BR"),
        ((-1, 0, 0, 1), "TR TL BR BL"),
        ((1, 0, 0, -1), "BL BR TL TR"),
        ((-1, 0, 0, -1), "BR BL TR TL"),
        ((0, 1, -1, 0), "BL TL BR TR"),
        ((0, -1, 1, 0), "TR BR TL BL"),
        ((0, 1, 1, 0), "TL BL TR BR"),
        ((0, -1, -1, 0), "BR TR BL TL"),
        ((0.7, 0.7, -0.7, 0.7), "TL TR BL BR"),
    ],
)
def test_videos_are_turned_and_mirrored_by_their_metadata(tmp_path, quarters, matrix, expected):
    path = write_video(tmp_path / "a.mp4", [quarters] * 2)
    a, b, c, d = (int(value * (1 << 16)) for value in matrix)
    patch_header(path, b"tkhd", 40, (a, b, 0, c, d, 0, 0, 0, 1 << 30))
    (shown, *_) = read_video(path)
    assert corners(Framing(32, "stretch", None)(shown)) == expected.split()


def test_pictures_are_let_go_without_collecting_garbage(tmp_path, quarters):
    """Else memory would hold hundreds of them, of 12 MB each in a video of 4K."""
    (shown, *_) = read_video(write_video(tmp_path / "a.mp4", [quarters] * 2))
    before = sys.getrefcount(shown.frame)
    Framing(16, "stretch", None)(shown)
    after = sys.getrefcount(shown.frame)
    assert after == before


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_truncated_video_is_read_or_reported(tmp_path, quarters, suffix):
    whole = write_video(tmp_path / f"a.{suffix}", [quarters] * 12, FORMATS[suffix]).read_bytes()
    path, failures = tmp_path / f"cut.{suffix}", 0
    for length in range(0, len(whole), max(len(whole) // 40, 1)):
        path.write_bytes(whole[:length])
        try:
            find_duration(path)
            for shown in read_video(path):
                Framing(16, "pad", None)(shown)
        except BadRecord:
            failures += 1
    assert failures > 0


@pytest.mark.parametrize("seconds", [MAX_STILL + 1, 3600, 20_000])
def test_an_endless_frame_is_a_damaged_timestamp(tmp_path, quarters, seconds):
    times = [0, 10, 20, 100 * seconds, 100 * seconds + 10]
    path = write_video(tmp_path / "a.mkv", [quarters] * 5, "mpeg4", times=times)
    for read in (find_duration, lambda path: list(read_video(path))):
        with pytest.raises(BadRecord, match=r"on show for [\d,]+ seconds, at most 300"):
            read(path)


def test_a_frame_may_last_for_minutes(tmp_path, quarters):
    times = [0, 100 * MAX_STILL - 100]
    path = write_video(tmp_path / "a.mkv", [quarters] * 2, "mpeg4", times=times)
    assert [float(shown.start) for shown in read_video(path)] == [0, MAX_STILL - 1]
    assert float(find_duration(path)) == pytest.approx(MAX_STILL - 1, abs=1)


@pytest.mark.parametrize(("fit", "is_bad"), [("stretch", False), ("crop", True), ("pad", True)])
def test_images_of_absurd_shape_are_refused(tmp_path, quarters, fit, is_bad):
    (shown, *_) = read_video(write_video(tmp_path / "a.mp4", [quarters]))
    wide = dataclasses.replace(shown, aspect=Fraction(60_000))
    if is_bad:
        with pytest.raises(BadRecord, match="3,840,000 x 48 pixels are more than 89,478,485"):
            Framing(32, fit, None)(wide)
    else:
        assert Framing(32, fit, None)(wide).size == (32, 32)


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(4, 1200), (1200, 4), (2, 4000)])
def test_a_thin_video_is_a_square_too(tmp_path, fit, size):
    path = write_video(tmp_path / "a.mkv", [Image.new("RGB", size, "red")], "ffv1", pixels="bgr0")
    (shown, *_) = read_video(path)
    square_of_it = Framing(32, fit, None)(shown)
    assert square_of_it.size == (32, 32)
    assert np.asarray(square_of_it).max() > 30  # some of it is left


def test_text_is_no_video_though_ffmpeg_draws_it(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("About the data.\n" * 50)
    for look in (find_duration, lambda path: list(read_video(path))):
        with pytest.raises(BadRecord, match="it is text, which would be drawn"):
            look(path)


def test_the_cover_of_a_piece_of_music_is_no_video(tmp_path, quarters):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        sound, cover = container.add_stream("aac", rate=44100), container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_image(quarters.resize((64, 64)))))
        for number in range(20):
            silence = np.zeros((2, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
            frame.rate, frame.pts = 44100, 1024 * number
            container.mux(sound.encode(frame))
        container.mux([*sound.encode(), *cover.encode()])
    with pytest.raises(BadRecord, match="there is no video in it"):
        find_duration(path)


def test_pictures_of_one_time_are_no_picture_each(tmp_path, quarters):
    path = tmp_path / "still.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        for _ in range(6):
            for packet in stream.encode(av.VideoFrame.from_image(quarters.resize((64, 64)))):
                packet.pts = packet.dts = 0
                container.mux(packet)
    for look in (find_duration, lambda path: list(read_video(path))):
        with pytest.raises(BadRecord, match="its 6 pictures are all of one time"):
            look(path)
