import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from rnnpipe.errors import BadRecord
from rnnpipe.sources.images.decoding import square
from rnnpipe.sources.videos.decoding import Framing, find_duration, read_video, sample_pictures

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
    np.testing.assert_array_equal(
        Framing(64, box=(0.25, 0.5, 0.75, 1), fit="stretch")(shown), lower
    )


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
        ("video/corrupted.mp4", "decode video", "Invalid data found .*, after 23 pictures"),
        ("not_there.mp4", "read video", "No such file"),
        (".", "read video", "Is a directory"),
    ],
)
def test_what_is_no_video_is_told(shared_data, name, step, reason):
    with pytest.raises(BadRecord, match=reason) as bad:
        list(read_video(shared_data / "bad_inputs" / name))
    assert bad.value.step == step


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), "int16"), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
    for read in (find_duration, lambda path: list(read_video(path))):
        with pytest.raises(BadRecord, match="there is no video in it"):
            read(path)


def test_what_is_left_of_a_video_that_was_cut_off_is_read(shared_data):
    path = shared_data / "bad_inputs" / "derived" / "truncated_half.mpg"
    assert len(list(read_video(path))) == 37
    assert float(find_duration(path)) == 1.48
