"""Videos whose headers claim absurd sizes: they are refused before pictures have memory."""

import resource
import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from rnnpipe.errors import BadRecord
from rnnpipe.sources.videos.decoding import find_duration, read_video
from rnnpipe.sources.videos.framing import Framing

WIDTH, HEIGHT = 64, 48
CLAIMED = 16_000, 12_000
PIXELS_60000_WIDE = struct.pack(">4sII", b"pasp", 60_000, 1)
MEMORY = 200 << 20  # a single picture of that size takes 288 MB at least


@pytest.fixture
def little_memory():
    """Lets this process allocate but a little more, where the system has such limits."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        yield
        return
    used = int(pages.read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def write(path, codec, pixels, aspect=Fraction(1)):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        stream.codec_context.sample_aspect_ratio = aspect
        for level in (40, 80, 120):
            picture = Image.new("RGB", (WIDTH, HEIGHT), (level,) * 3)
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())
    return path


def patch(layout, before=b""):
    """Changes width and height wherever they are written like that, after some bytes."""

    def change(data):
        old = before + struct.pack(layout, WIDTH, HEIGHT)
        assert old in data
        return data.replace(old, before + struct.pack(layout, *CLAIMED))

    return change


def patch_sample_entry(data):
    """Changes what the `stsd` atom of an MP4 says."""
    at = data.index(struct.pack(">HH", WIDTH, HEIGHT), data.index(b"stsd"))
    return data[:at] + struct.pack(">HH", *CLAIMED) + data[at + 4 :]


def patch_vp9(data):
    """Changes the first key frame: a sync code, 4 bits of colour, both sides less 1."""
    at = data.index(b"\x49\x83\x42") + 3
    bits = int.from_bytes(data[at : at + 5], "big")
    assert (bits >> 20 & 0xFFFF, bits >> 4 & 0xFFFF) == (WIDTH - 1, HEIGHT - 1)
    sides = CLAIMED[0] - 1 << 20 | CLAIMED[1] - 1 << 4
    bits = bits >> 36 << 36 | sides | bits & 0xF
    return data[:at] + bits.to_bytes(5, "big") + data[at + 5 :]


# By file: the codec and its pixels, and where the size is claimed.
VIDEOS = {
    "sample_entry.mov": ("qtrle", "rgb24", patch_sample_entry),
    "sample_entry.mp4": ("ffv1", "yuv420p", patch_sample_entry),
    "key_frame.mp4": ("libvpx-vp9", "yuv420p", patch_vp9),
    "picture.mp4": ("png", "rgb24", patch(">II", b"IHDR")),
    "key_frame.mkv": ("libvpx-vp9", "yuv420p", patch_vp9),
    "key_frame.webm": ("libvpx", "yuv420p", patch("<HH", b"\x9d\x01\x2a")),
    "header.avi": ("zmbv", "bgr0", patch("<ii")),
    "format.avi": ("cinepak", "rgb24", patch("<ii")),
    "screen.gif": ("gif", "rgb8", patch("<HH")),
}


@pytest.mark.parametrize("name", VIDEOS)
def test_pictures_of_absurd_size_are_refused_before_they_have_memory(name, tmp_path, request):
    codec, pixels, change = VIDEOS[name]
    path = write(tmp_path / name, codec, pixels)
    whole = [shown.frame.width for shown in read_video(path)]
    path.write_bytes(change(path.read_bytes()))
    request.getfixturevalue("little_memory")
    assert whole == [WIDTH] * 3
    assert float(find_duration(path)) == pytest.approx(0.3, abs=0.11)
    reason = r"(Invalid argument; pictures may have at most 89,478,485 pixels|Invalid data found.*)"
    with pytest.raises(BadRecord, match=f"^decode video: {reason}(, after 1 pictures)?$"):
        list(read_video(path))


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_pixels_of_absurd_shape_are_refused_before_the_picture_has_memory(
    fit, tmp_path, little_memory
):
    path = write(tmp_path / "a.mp4", "mpeg4", "yuv420p", aspect=Fraction(3, 2))
    data = path.read_bytes()
    assert data.count(struct.pack(">4sII", b"pasp", 3, 2)) == 1
    path.write_bytes(data.replace(struct.pack(">4sII", b"pasp", 3, 2), PIXELS_60000_WIDE))
    (shown, *_) = read_video(path)
    assert shown.aspect == 60_000
    with pytest.raises(BadRecord, match="3,840,000 x 48 pixels are more than 89,478,485"):
        Framing(16, fit, None)(shown)


def test_a_size_that_only_the_container_is_wrong_about_is_no_fault(tmp_path, little_memory):
    path = write(tmp_path / "a.mp4", "mpeg4", "yuv420p")
    path.write_bytes(patch_sample_entry(path.read_bytes()))
    pictures = [Framing(16, "pad", None)(shown) for shown in read_video(path)]
    assert [picture.size for picture in pictures] == [(16, 16)] * 3
