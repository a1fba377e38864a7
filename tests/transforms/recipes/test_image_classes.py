import json

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.specs import IMAGE_CLASS_FEATURES
from rnnpipe.sources.images.decoding import read_image
from rnnpipe.sources.images.image_folders import ImageFolders
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.image_classes import ImageClassRecipe
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.kinds import contents
from tests.transforms.recipes.backbone import (
    CHANNELS,
    SIDE,
    check_half,
    compute_plainly,
    make_features,
    write_weights,
)


@pytest.fixture
def photos(tmp_path):
    """Five training photos, of which one is broken, and two to test with, one of a new class."""
    paints = {"train/10/a": 40, "train/10/b": 80, "train/9/a": 120, "train/9/b": 160}
    for name, level in {**paints, "test/9/a": 200, "test/odd/a": 220}.items():
        path = tmp_path / "raw" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10), (level, level, level)).save(path)
    (tmp_path / "raw" / "train" / "9" / "c.png").write_bytes(b"no image")
    source = ImageFolders(path=tmp_path / "raw")
    source.prepare(lambda done, total: None)
    return source


def test_records_have_the_classes_of_their_folders(photos, tmp_path):
    build = Build(photos, ImageClassRecipe(image=ImageOptions(size=16)), {}, max_bad_fraction=0.5)
    records = build.run(tmp_path / "records")
    assert records.labels == ["9", "10"]
    read = {record["image_name"]: record["label"] for record in records.read("train")}
    assert read == {
        "train/10/a.png": 1,
        "train/10/b.png": 1,
        "train/9/a.png": 0,
        "train/9/b.png": 0,
    }
    letters = {letter["key"]: letter["reason"] for letter in records.dead_letters()}
    assert letters["test/odd/a.png"] == "the training split has no 'odd'"
    assert "not an image" in letters["train/9/c.png"]
    stats = json.loads((records.path / "stats.json").read_text())
    assert stats["training_labels"] == {"10": 2, "9": 3}
    builder = tfds.builder_from_directory(str(RecordsDirectory.open(records.path).path))
    (row,) = tfds.as_numpy(builder.as_dataset(split="test"))
    assert row["image_jpeg"].shape == (16, 16, 3)
    np.testing.assert_allclose(row["image_jpeg"], 200, atol=2)
    assert row["label"] == 0


def test_a_single_class_is_refused(tmp_path):
    recipe = ImageClassRecipe()
    with pytest.raises(UserError, match="images of two classes or more to train on, got a alone"):
        recipe.learn({"labels": {"a": 3}}, tmp_path)


def test_features_are_those_of_a_plain_loop_whatever_the_number_of_workers(photos, tmp_path):
    weights = tmp_path / "mobilenet.weights.h5"
    write_weights(weights)
    features = make_features(weights, batch_size=3)
    recipe = ImageClassRecipe(image=ImageOptions(size=16, fit="pad"), features=features)
    build = Build(photos, recipe, {}, records_per_shard=2, max_bad_fraction=0.5)
    one, two = (
        build.run(tmp_path / f"records-{workers}", runner=Runner(workers)) for workers in (1, 2)
    )
    assert contents(one.path) == contents(two.path)
    assert one.spec is IMAGE_CLASS_FEATURES
    compute = compute_plainly(weights)
    stored = [record for split in one.splits for record in one.read(split)]
    assert len(stored) == 5
    for record in stored:
        pixels = read_image(tmp_path / "raw" / record["image_name"], SIDE, "pad")
        assert record["image_features"].shape[-1] == CHANNELS
        check_half(record["image_features"], compute(pixels))
    assert {letter["key"] for letter in one.dead_letters()} == {"test/odd/a.png", "train/9/c.png"}


def test_the_stored_image_and_the_features_are_part_of_the_fingerprint(tmp_path):
    weights = tmp_path / "mobilenet.weights.h5"
    write_weights(weights)
    features = make_features(weights)
    recipes = (
        ImageClassRecipe(),
        ImageClassRecipe(image=ImageOptions(fit="crop")),
        ImageClassRecipe(features=features),
    )
    assert len({json.dumps(recipe.settings) for recipe in recipes}) == 3
