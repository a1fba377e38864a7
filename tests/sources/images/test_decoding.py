import csv
import io
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rnnpipe.errors import BadRecord
from rnnpipe.sources.images.decoding import (
    decode_image,
    decode_whole_image,
    encode_jpeg,
    read_image,
)
from rnnpipe.sources.images.fit import FITS
from tests.fuzz.limits import bounded_memory

RED, GREEN, BLUE, WHITE, BLACK = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 255),
    (0, 0, 0),
)


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def corners(image: Image.Image) -> list[Any]:
    """Top left, top right, bottom left, bottom right."""
    last = image.width - 1
    return [image.getpixel(place) for place in ((0, 0), (last, 0), (0, last), (last, last))]


def quarters() -> Image.Image:
    """64 x 32: red and green above, blue and white below."""
    image = Image.new("RGB", (64, 32), WHITE)
    image.paste(RED, (0, 0, 32, 16))
    image.paste(GREEN, (32, 0, 64, 16))
    image.paste(BLUE, (0, 16, 32, 32))
    return image


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("fit", FITS)
def test_odd_and_damaged_files_are_read_or_reported(shared_data, fit):
    folder = shared_data / "bad_inputs"
    images = [row for row in rows(folder) if row["pillow"]]
    assert len(images) > 40
    for row in images:
        if row["pillow"].startswith("ok"):
            image = read_image(folder / row["file"], 32, fit)
            assert (image.mode, image.size) == ("RGB", (32, 32)), row["file"]
        else:
            with pytest.raises(BadRecord) as fault:
                read_image(folder / row["file"], 32, fit)
            assert fault.value.step == "decode image"
            assert fault.value.reason
            assert "\n" not in fault.value.reason
            assert "0x" not in fault.value.reason
            assert str(folder) not in fault.value.reason


def test_videos_and_texts_are_no_images(shared_data):
    folder = shared_data / "bad_inputs"
    others = [r["file"] for r in rows(folder) if not r["pillow"] and "jpeg_inside" not in r["file"]]
    assert others
    for name in others:
        with pytest.raises(BadRecord, match=r"not an image in a format|the file is empty"):
            read_image(folder / name, 32, "stretch")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("derived/empty.jpg", "the file is empty"),
        ("derived/html_inside.jpg", "not an image in a format that can be read"),
        ("derived/truncated_half.jpg", "image file is truncated (28 bytes not processed)"),
        (
            "pillow/png_decompression_dos.png",
            "Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK",
        ),
    ],
)
def test_reason_of_a_bad_file(shared_data, name, reason):
    with pytest.raises(BadRecord) as fault:
        read_image(shared_data / "bad_inputs" / name, 32, "stretch")
    assert (fault.value.step, fault.value.reason) == ("decode image", reason)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadRecord) as fault:
        read_image(tmp_path / "missing.jpg", 32, "stretch")
    assert (fault.value.step, fault.value.reason) == ("read image", "No such file or directory")
    with pytest.raises(BadRecord) as fault:
        read_image(tmp_path, 32, "stretch")
    assert (fault.value.step, fault.value.reason) == ("read image", "Is a directory")


def test_orientation_is_applied(shared_data):
    folder = shared_data / "bad_inputs" / "pillow"
    upright = np.asarray(read_image(folder / "hopper.bmp", 64, "stretch"), np.int16)
    for turned in (3, 6, 8):
        image = read_image(folder / f"hopper_orientation_{turned}.jpg", 64, "stretch")
        assert np.abs(np.asarray(image) - upright).mean() < 3, turned


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
        (9, [RED, GREEN, BLUE, WHITE]),
    ],
)
def test_every_orientation(orientation, expected):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert corners(decode_image(saved(quarters(), exif=exif), 16, "stretch")) == expected


def test_a_whole_image_is_upright_and_keeps_its_proportions(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # to be turned to the right
    path = tmp_path / "photo.png"
    quarters().save(path, exif=exif)
    image = decode_whole_image(path.read_bytes(), 128)
    assert image.size == (64, 128)
    found = [image.getpixel(place) for place in ((8, 8), (56, 8), (8, 120), (56, 120))]
    assert found == [BLUE, RED, WHITE, GREEN]
    Image.new("RGB", (3, 900), RED).save(path)
    assert decode_whole_image(path.read_bytes(), 128).size == (32, 128)
    path.write_bytes(b"no image")
    with pytest.raises(BadRecord, match="not an image"):
        decode_whole_image(path.read_bytes(), 128)


def test_damaged_exif_does_not_affect_the_image():
    data = saved(quarters(), exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0")
    assert corners(decode_image(data, 16, "stretch")) == [RED, GREEN, BLUE, WHITE]


def test_adobe_cmyk_is_not_inverted(shared_data):
    # A dark red picture that an inverted reading would show as light cyan.
    red, green, blue = np.asarray(
        read_image(shared_data / "bad_inputs/pillow/pil_sample_cmyk.jpg", 32, "stretch")
    ).mean(axis=(0, 1))
    assert red > 2 * max(green, blue)
    assert max(red, green, blue) < 60


def test_cmyk_colours():
    data = saved(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", quality=95)
    cyan = decode_image(data, 8, "stretch")
    assert np.abs(np.subtract(cyan.getpixel((4, 4)), (0, 255, 255))).max() < 8


def test_sixteen_bits_keep_their_greys(shared_data):
    folder = shared_data / "bad_inputs" / "pillow"
    deep = np.asarray(read_image(folder / "hopper_16bit.pgm", 128, "stretch"), np.int16)
    grey = np.asarray(Image.open(folder / "hopper.bmp").convert("L"), np.int16)[..., None]
    assert np.abs(deep - grey).mean() < 3
    assert len(np.unique(deep)) > 200


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (np.array([[0, 257], [32896, 65535]], np.uint16), "PNG", [0, 1, 128, 255]),
        (np.array([[0, 257], [32896, 65535]], np.int32), "TIFF", [0, 1, 128, 255]),
        (np.array([[0, 100_000], [50_000, 100_000]], np.int32), "TIFF", [0, 255, 128, 255]),
        (np.array([[-10, 10], [0, 10]], np.int32), "TIFF", [0, 255, 128, 255]),
        (np.array([[70_000, 70_000], [70_000, 70_000]], np.int32), "TIFF", [0, 0, 0, 0]),
        (np.array([[0.0, 0.2], [0.8, 1.0]], np.float32), "TIFF", [0, 51, 204, 255]),
        (np.array([[0.0, 4.0], [2.0, np.nan]], np.float32), "TIFF", [0, 255, 128, 0]),
    ],
)
def test_deep_pixels_are_scaled(values, kind, expected):
    pixels: Any = decode_image(saved(Image.fromarray(values), kind), 2, "stretch").getpixel
    assert [pixels((i % 2, i // 2))[0] for i in range(4)] == expected


def test_transparent_becomes_white():
    none = decode_image(saved(Image.new("RGBA", (4, 4), (255, 0, 0, 0))), 4, "stretch")
    assert none.getpixel((0, 0)) == WHITE
    half = decode_image(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 51))), 4, "stretch")
    assert half.getpixel((0, 0)) == (204, 204, 204)


@pytest.mark.parametrize("kind", ["F", "I", "RGBA"])
def test_large_images_take_little_memory(kind):
    """A file of kilobytes may have millions of them."""
    image = Image.new(kind, (8192, 4096))
    image.putpixel((8191, 4095), (0, 0, 0, 9) if kind == "RGBA" else 70_000)
    data = saved(image, "TIFF", compression="tiff_adobe_deflate")
    assert len(data) < 1_000_000
    with bounded_memory():
        pixels = np.asarray(decode_image(data, 2, "stretch"))
    assert pixels[0, 0].tolist() == [255 if kind == "RGBA" else 0] * 3


@pytest.mark.parametrize(
    ("mode", "colour", "transparency"),
    [("RGB", RED, RED), ("L", 7, 7), ("I;16", 700, 700), ("P", 1, 1), ("P", 1, b"\xff\0")],
)
def test_a_transparent_colour_becomes_white(mode, colour, transparency):
    image = Image.new(mode, (4, 4), colour)
    if mode == "P":
        image.putpalette([*RED, *GREEN])
    data = saved(image, transparency=transparency)
    assert decode_image(data, 4, "stretch").getpixel((0, 0)) == WHITE


def test_the_first_picture_of_an_animation_is_read():
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        data = saved(
            frames[0],
            kind,
            save_all=True,
            append_images=frames[1:],
            **({"lossless": True} if kind == "WEBP" else {}),
        )
        assert decode_image(data, 4, "stretch").getpixel((0, 0)) == RED, kind


@pytest.mark.parametrize("shape", [(1, 65_536), (65_536, 1)])
def test_images_longer_than_a_jpeg_can_be_are_refused(shape):
    with pytest.raises(BadRecord, match=r"65,536.* pixels; a side has at most 65,535"):
        decode_image(saved(Image.new("1", shape)), 8, "stretch")


def test_decompression_bombs_are_refused():
    side = 10_000  # 100 megapixels: Pillow alone would only warn
    header = b"P5 %d %d 255\n" % (side, side)
    with pytest.raises(BadRecord, match=r"100000000 pixels\) exceeds limit of 89478485 pixels"):
        decode_image(header, 8, "stretch")


def test_programs_are_not_run():
    with pytest.raises(BadRecord, match="decode image: EPS files are not read"):
        decode_image(saved(quarters(), "EPS"), 8, "stretch")


def test_images_are_stretched_cropped_or_padded():
    tall = Image.new("RGB", (10, 30), BLUE)
    tall.paste(RED, (0, 0, 10, 10))
    tall.paste(GREEN, (0, 20, 10, 30))
    data = saved(tall)
    middle = [(15, y) for y in (2, 15, 27)]
    stretched, cropped, padded = (decode_image(data, 30, fit) for fit in FITS)
    assert [stretched.getpixel(place) for place in middle] == [RED, BLUE, GREEN]
    assert [cropped.getpixel(place) for place in middle] == [BLUE, BLUE, BLUE]
    assert [padded.getpixel(place) for place in middle] == [RED, BLUE, GREEN]
    assert [stretched.getpixel((1, 15)), padded.getpixel((1, 15))] == [BLUE, BLACK]


def test_jpegs_are_decoded_small_without_visible_loss():
    ramp = np.linspace(0, 255, 1024).astype(np.uint8)
    image = Image.fromarray(np.stack([np.tile(ramp, (1024, 1))] * 3, axis=-1))
    small = np.asarray(decode_image(saved(image, "JPEG", quality=95), 64, "stretch"), np.int16)
    assert np.abs(small - np.asarray(image.resize((64, 64)), np.int16)).max() <= 3


def test_jpeg_of_a_record():
    image = quarters().resize((64, 64))
    jpeg = encode_jpeg(image, quality=90)
    with Image.open(io.BytesIO(jpeg)) as read:
        assert (read.format, read.mode, read.size) == ("JPEG", "RGB", (64, 64))
        assert np.abs(np.asarray(read, np.int16) - np.asarray(image)).max() < 12
    assert encode_jpeg(image, quality=90) == jpeg
    assert len(encode_jpeg(image, quality=20)) < len(jpeg)


def test_threads_do_not_change_the_filters_of_warnings():
    data = saved(quarters())
    before = list(warnings.filters)
    threads = [
        threading.Thread(target=lambda: [decode_image(data, 8, "stretch") for _ in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before
