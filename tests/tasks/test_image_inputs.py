"""What predict reads of a raw file is what training reads of its record, to the last bit."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rnnpipe import cli
from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.inputs import parsing
from rnnpipe.inputs.batches import make_batches
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.shipped import find_config
from rnnpipe.sources.images.decoding import decode_jpeg, encode_jpeg
from rnnpipe.tasks import find_schemas
from rnnpipe.tasks.image_inputs import encode_photo
from rnnpipe.tasks.video_labeling.frames import read_frames
from rnnpipe.transforms.recipes.image_records import ImageRecordOptions
from rnnpipe.transforms.recipes.images import ImageOptions


@pytest.fixture
def build(tmp_path):
    """The records of a config, their raw folder and the config."""

    def build(name, settings):
        settings = [
            f"data.directory={tmp_path / 'records'}",
            f"data.source.path={tmp_path / 'raw'}",
            *settings,
        ]
        options = [part for setting in settings for part in ("--set", setting)]
        assert cli.main(["build", name, *options]) == 0
        config = load_config(find_config(Path(name)), find_schemas(), settings)
        return RecordsDirectory.open(tmp_path / "records"), tmp_path / "raw", config

    return build


def find_image(raw, record):
    if "image_name" in record:
        return next(path for path in raw.rglob("*") if str(path).endswith(record["image_name"]))
    return next(raw.rglob(f"*{record['image_id']:012d}.jpg"))


IMAGES = {
    "glimpse": ["data.source.images=60", "data.source.size=40", "data.image.size=32"],
    "vqa": ["data.source.images=20", "data.image.size=32", "build.max_bad_fraction=0.2"],
    "captioning": ["data.source.images=60", "data.image={size: 32, jpeg_quality: 50}"],
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_read_as_its_record_is(name, build):
    records, raw, config = build(name, IMAGES[name])
    rows = list(records.read("test"))
    batches = make_batches(records, "test", fields=["image_jpeg"], batch_size=7)
    trained = np.concatenate([batch["image_jpeg"] for batch in batches])
    assert len(rows) == len(trained) > 1
    for row, pixels in zip(rows, trained, strict=True):
        path = find_image(raw, row)
        for photo in (str(path), path, path.read_bytes()):
            np.testing.assert_array_equal(encode_photo(photo, config.data), pixels)
        np.testing.assert_array_equal(decode_jpeg(row["image_jpeg"]), pixels)


def test_pixels_are_read_as_a_file_of_them_is(tmp_path):
    data = ImageRecordOptions(image=ImageOptions(size=16))
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3)).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    from_file = encode_photo(tmp_path / "photo.png", data)
    np.testing.assert_array_equal(encode_photo(pixels, data), from_file)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4, 3)), np.zeros((4, 4), "uint8"), np.zeros((0, 4, 3), "uint8")],
)
def test_other_arrays_are_refused(pixels):
    told = r"--image: expected an image that can be read, got pixels are uint8 \(height, width, 3\)"
    with pytest.raises(UserError, match=told):
        encode_photo(pixels, ImageRecordOptions())


@pytest.mark.parametrize("quality", [1, 50, 92, 95])
def test_jpegs_are_decoded_alike_with_and_without_tensorflow(quality):
    rng = np.random.default_rng(quality)
    for height, width in rng.integers(1, 70, (8, 2)):
        noise = rng.integers(0, 256, (height, width, 3)).astype("uint8")
        jpeg = encode_jpeg(Image.fromarray(noise), quality)
        np.testing.assert_array_equal(decode_jpeg(jpeg), parsing.decode_jpeg(jpeg))


def test_a_video_is_read_as_its_record_is(build):
    records, raw, config = build("video", ["data.source.clips=21", "data.frames.size=24"])
    rows = list(records.read("test"))
    assert rows
    for row in rows:
        path = next(
            path
            for path in raw.rglob("*")
            if path.is_file() and path.stem == Path(row["video_id"]).stem
        )
        frames = list(read_frames(str(path), config.data.frames, None))
        assert len(frames) == len(row["frames_jpeg"])
        for frame, jpeg in zip(frames, row["frames_jpeg"], strict=True):
            np.testing.assert_array_equal(frame.pixels, decode_jpeg(jpeg))
