from io import BytesIO
from types import SimpleNamespace

import numpy as np
from PIL import Image

from rnnpipe.tasks.captioning.baselines import count_colours, find_baselines, without_images


def jpeg(*colour):
    file = BytesIO()
    Image.new("RGB", (16, 16), colour).save(file, "JPEG", quality=95)
    return file.getvalue()


TRAIN = [
    {"image_jpeg": jpeg(200, 20, 20), "captions": ["red", "so red"], "image_id": 1, "scene": ""},
    {"image_jpeg": jpeg(20, 20, 200), "captions": ["blue"], "image_id": 2, "scene": ""},
]
RECORDS = SimpleNamespace(
    read=lambda split, fields: [{name: row[name] for name in fields} for row in TRAIN],
    stats={"most_frequent_caption": "grey"},
)


def test_the_nearest_image_is_that_of_the_same_colours():
    colours = [count_colours(jpeg(*colour)) for colour in ((30, 25, 210), (210, 10, 30))]
    found = find_baselines(RECORDS, colours)
    assert found["most_frequent"] == ["grey", "grey"]
    assert found["nearest_colours"][0] == "blue"
    assert found["nearest_colours"][1] in ("red", "so red")
    assert set(found["random"]) <= {"red", "so red", "blue"}
    assert find_baselines(RECORDS, colours) == found


def test_large_images_are_decoded_small(monkeypatch):
    file = BytesIO()
    Image.new("RGB", (512, 512), (200, 20, 20)).save(file, "JPEG", quality=95)
    decoded, resize = [], Image.Image.resize

    def watch(image, size):
        decoded.append(image.size)
        return resize(image, size)

    monkeypatch.setattr(Image.Image, "resize", watch)
    assert count_colours(file.getvalue()).argmax() == 6 * 64
    assert decoded == [(64, 64)]


def test_colours_are_shares_whatever_the_size():
    (row, counts), *_ = without_images(RECORDS, "test")
    assert row == {"image_id": 1, "captions": ["red", "so red"], "scene": ""}
    assert np.isclose(counts.sum(), 1)
    assert counts.argmax() == 6 * 64
