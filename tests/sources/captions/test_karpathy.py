import json
import re

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.captions.karpathy import read_karpathy

IMAGES = [
    {"split": "train", "cocoid": 1, "filename": "a.jpg"},
    {"split": "restval", "cocoid": 2, "filename": "b.jpg"},
    {"split": "val", "cocoid": 3, "filename": "c.jpg"},
    {"split": "test", "filename": "d.jpg"},
    {"split": "other", "cocoid": 5, "filename": "e.jpg"},
    {"split": "test", "cocoid": True, "filename": ["f.jpg"]},
    "no object",
]


@pytest.mark.parametrize(
    ("key", "splits"),
    [
        ("cocoid", {1: "train", 2: "train", 3: "validation"}),
        ("filename", {"a.jpg": "train", "b.jpg": "train", "c.jpg": "validation", "d.jpg": "test"}),
    ],
)
def test_each_image_has_its_split(tmp_path, key, splits):
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps({"images": IMAGES}))
    found = read_karpathy(path, key)
    assert {image: found.find(image) for image in splits} == splits
    assert len(found) == len(splits)


@pytest.mark.parametrize(
    ("content", "key", "message"),
    [
        ([], "cocoid", "'images' with a 'cocoid' and a 'split', some of them 'train', got a list"),
        ({"images": 5}, "cocoid", "got an object with 'images'; name dataset_coco.json of his"),
        ({"images": IMAGES[2:]}, "cocoid", "got 1 such images, none to train on"),
        ({"images": IMAGES[2:]}, "filename", "on; name dataset_flickr8k.json or the like of his"),
    ],
)
def test_another_file_is_refused(tmp_path, content, key, message):
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=re.escape(message)):
        read_karpathy(path, key)
