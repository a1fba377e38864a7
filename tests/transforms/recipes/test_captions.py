import csv
import io
import json
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.inputs.batches import make_batches
from rnnpipe.metrics.scene_captions import caption_is_true
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.generated.shapes_captions import ShapesCaptions
from rnnpipe.sources.images import decoding
from rnnpipe.sources.images.decoding import decode_image, read_image
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.captions import CaptionRecipe, CaptionTextOptions
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.kinds import contents
from tests.transforms.recipes.backbone import SIDE, check_half, compute_plainly, make_features

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def write_coco(folder, images, captions):
    """A part `train` of images, by file name, each with its captions."""
    (folder / "train").mkdir(parents=True)
    entries, annotations = [], []
    for number, (name, data) in enumerate(images.items(), start=1):
        (folder / "train" / name).write_bytes(data)
        entries.append({"id": number, "file_name": name})
        for caption in captions[name]:
            given = {"id": len(annotations), "image_id": number, "caption": caption}
            annotations.append(given)
    content = {"images": entries, "annotations": annotations}
    (folder / "captions_train.json").write_text(json.dumps(content))
    source = CocoCaptions(path=folder)
    source.prepare(lambda done, total: None)
    return source


def jpeg(colour, size=(40, 20)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def make_recipe(size, vocabulary=10000, *, features=None, **caption):
    text = CaptionTextOptions(vocabulary=vocabulary, **{"max_tokens": 20, **caption})
    return CaptionRecipe(image=ImageOptions(size=size), features=features, caption=text)


@pytest.fixture
def photos(tmp_path):
    """Three photos in one colour each, with one to three captions."""
    images = {f"{name}.jpg": jpeg(colour) for name, colour in COLOURS.items()}
    captions = {
        "red.jpg": ["All red.", "It is red, all of it."],
        "green.jpg": ["Green!"],
        "blue.jpg": ["Blue.", "A blue thing.", "\u00ad"],  # of the last no token is left
    }
    return write_coco(tmp_path / "photos", images, captions)


def test_records_have_the_content_of_the_raw_data(photos, tmp_path):
    recipe = make_recipe(16, 50, max_tokens=4)
    records = Build(photos, recipe, {}).run(tmp_path / "records")
    read = {record["image_id"]: record for record in records.read("train")}
    assert sorted(read) == [1, 2, 3]
    tokenizer = Tokenizer.load(records.path)
    first = read[1]
    assert first["captions"] == ["All red.", "It is red, all of it."]
    pieces = [[tokenizer.pieces[i] for i in tokens] for tokens in first["caption_tokens"]]
    assert pieces == [["▁all", "▁red", "▁."], ["▁it", "▁is", "▁red", "▁,"]]
    assert first["scene"] == ""
    assert read[3]["captions"] == ["Blue.", "A blue thing."]
    for number, colour in enumerate(COLOURS.values(), start=1):
        image = Image.open(io.BytesIO(read[number]["image_jpeg"]))
        assert image.size == (16, 16)
        np.testing.assert_allclose(np.asarray(image)[8, 8], colour, atol=4)
    stats = records.stats
    assert (stats["read"], stats["written"], stats["distinct_captions"]) == (3, 3, 6)
    assert stats["splits"]["train"]["histograms"]["captions"] == {"1": 1, "2": 2}
    assert stats["splits"]["train"]["rates"] == {
        "caption_tokens_cut": pytest.approx(4 / 19),
        "caption_tokens_unknown": 0.0,
    }
    rows = tfds.as_numpy(tfds.builder_from_directory(str(records.path)).as_dataset(split="train"))
    for row in rows:
        record = read[row["image_id"]]
        assert [text.decode() for text in row["captions"]] == record["captions"]
        assert row["caption_tokens"].to_list() == record["caption_tokens"]
        assert row["image_jpeg"].shape == (16, 16, 3)


def test_captions_of_no_use_are_counted(tmp_path):
    bad = [None, "", " \t", 5, "\ud83d", "\u200b"]
    images = {f"{n}.jpg": jpeg((90 * n, 0, 0)) for n in range(2)}
    write_coco(tmp_path / "raw", images, {"0.jpg": ["All red.", *bad], "1.jpg": ["So red."]})
    source = CocoCaptions(path=tmp_path / "raw")
    records = Build(source, make_recipe(16, 50), {}).run(tmp_path / "records")
    assert sorted(len(r["captions"]) for r in records.read("train")) == [1, 1]
    assert records.stats["notices"] == ["6 of 8 train captions are empty or no text"]


def test_rare_words_are_unknown(photos, tmp_path):
    recipe = make_recipe(16, 50, min_count=2)
    records = Build(photos, recipe, {}).run(tmp_path / "records")
    known = {piece.strip("▁") for piece in Tokenizer.load(records.path).pieces[4:]}
    assert known == {"red", "all", "it", "blue", "."}
    too_rare = make_recipe(16, 50, min_count=9)
    message = (
        "a word that occurs 9 times in training captions, got none: the most frequent one occurs"
    )
    with pytest.raises(UserError, match=message):
        Build(photos, too_rare, {}).run(tmp_path / "other")


def test_a_build_uses_karpathy_splits(tmp_path):
    splits = ["train", "restval", "val", "test", "val"]
    images = {f"{n}.jpg": jpeg((40 * n, 0, 0)) for n in range(len(splits) + 1)}
    write_coco(tmp_path / "raw", images, {name: [f"Number {name}."] for name in images})
    entries = [{"cocoid": n, "split": split} for n, split in enumerate(splits, start=1)]
    (tmp_path / "raw" / "dataset_coco.json").write_text(json.dumps({"images": entries}))
    source = CocoCaptions(path=tmp_path / "raw", karpathy=Path("dataset_coco.json"))
    recipe = make_recipe(16, 50)
    shares = {"validation": 0.5, "test": 0.5}  # of no use: the file names all three splits
    records = Build(source, recipe, shares, max_bad_fraction=0.2).run(
        tmp_path / "records", runner=Runner(2)
    )
    ids = {split: {r["image_id"] for r in records.read(split)} for split in records.splits}
    assert ids == {"train": {1, 2}, "validation": {3, 5}, "test": {4}}
    assert [letter["key"] for letter in records.dead_letters()] == ["train/6"]


def test_scenes_are_stored_with_their_captions(tmp_path):
    drawn = ShapesCaptions(path=tmp_path / "drawn", images=60, size=32, seed=1)
    drawn.prepare(lambda done, total: None)
    shares = {"validation": 0.1, "test": 0.2}
    records = Build(drawn, make_recipe(32), shares, records_per_shard=20).run(tmp_path / "records")
    assert sum(records.splits.values()) == 60
    ids = {split: {r["image_id"] for r in records.read(split)} for split in records.splits}
    assert len(set.union(*ids.values())) == 60
    for record in records.read("test"):
        assert len(record["captions"]) == len(record["caption_tokens"]) == 5
        assert all(caption_is_true(caption, record["scene"]) for caption in record["captions"])


def test_odd_and_damaged_images_are_read_or_reported(shared_data, tmp_path):
    folder = shared_data / "bad_inputs"
    with open(folder / "manifest.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["pillow"]]
    images = {f"{n}.jpg": (folder / row["file"]).read_bytes() for n, row in enumerate(rows)}
    sound = {f"{n}.jpg" for n, row in enumerate(rows) if row["pillow"].startswith("ok")}
    source = write_coco(tmp_path / "raw", images, {name: ["An image."] for name in images})
    build = Build(source, make_recipe(32, 20), {}, 1000, 0.5)
    records = build.run(tmp_path / "records")
    read = {record["image_id"] - 1 for record in records.read("train")}
    assert {f"{number}.jpg" for number in read} == sound
    letters = list(records.dead_letters())
    assert len(letters) == len(images) - len(sound) > 8
    assert {letter["step"] for letter in letters} == {"decode image"}
    assert records.stats["dead_letters"] == Counter({"decode image": len(letters)})
    assert all(letter["reason"] and letter["key"].startswith("train/") for letter in letters)


def test_features_of_any_number_of_workers_are_those_of_a_plain_loop(
    shared_data, weights, tmp_path
):
    source = CocoCaptions(path=shared_data / "coco_mini")
    features = make_features(weights)
    recipe = make_recipe(32, 500, features=features)
    build = Build(source, recipe, {"validation": 0.2}, records_per_shard=60)
    one, two = (
        build.run(tmp_path / f"records-{workers}", runner=Runner(workers)) for workers in (1, 2)
    )
    assert contents(one.path) == contents(two.path)
    assert sum(one.splits.values()) == 310
    paths = {
        raw.fields["image_id"]: raw.fields["image"]
        for partition in source.partitions()
        for raw in source.read(partition)
    }
    compute = compute_plainly(weights)
    for record in chain.from_iterable(map(one.read, one.splits)):
        expected = compute(read_image(paths.pop(record["image_id"]), SIDE, "stretch"))
        assert record["image_features"].shape == (8, 8, 32)
        assert record["image_features"].std() > 1e-3
        check_half(record["image_features"], expected)
    assert paths == {}
    batch = next(iter(make_batches(one, "test", fields=["image_features"], batch_size=3)))
    assert batch["image_features"].shape == (3, 8, 8, 32)
    [row] = tfds.builder_from_directory(str(one.path)).as_dataset(split="test").take(1)
    np.testing.assert_array_equal(row["image_features"], batch["image_features"][0])


def test_a_bad_image_in_a_batch_does_not_affect_the_others(weights, tmp_path):
    images = {f"{n}.jpg": jpeg((0, 20 * n, 255 - 20 * n)) for n in range(11)}
    images["3.jpg"] = b"no image"
    captions = {name: ["A colour."] for name in images}
    source = write_coco(tmp_path / "raw", images, captions)
    features = make_features(weights)
    recipe = make_recipe(32, 20, features=features)
    records = Build(source, recipe, {}, max_bad_fraction=0.2).run(tmp_path / "records")
    assert records.splits == {"train": 10}
    for record in records.read("train"):
        path = tmp_path / "raw" / "train" / f"{record['image_id'] - 1}.jpg"
        expected = features(np.asarray(read_image(path, SIDE, "stretch"))[None])[0]
        check_half(record["image_features"], expected)


def test_an_image_that_fails_at_the_size_of_the_backbone_is_reported(
    weights, tmp_path, monkeypatch
):
    images = {f"{n}.jpg": jpeg((0, 40 * n, 255 - 40 * n)) for n in range(6)}
    source = write_coco(tmp_path / "raw", images, {name: ["A colour."] for name in images})
    features = make_features(weights)

    def fail(data, size, fit):
        if size == SIDE and data == images["3.jpg"]:
            raise BadRecord("decode image", "too little memory")
        return decode_image(data, size, fit)

    reads = []

    def read_once(path):
        reads.append(path)
        return Path(path).read_bytes()

    monkeypatch.setattr(decoding, "decode_image", fail)
    monkeypatch.setattr(decoding, "read_bytes", read_once)
    recipe = make_recipe(16, 20, features=features)
    records = Build(source, recipe, {}, max_bad_fraction=0.2).run(tmp_path / "records")
    assert len(reads) == len(set(reads)) == len(images)
    [letter] = records.dead_letters()
    assert (letter["key"], letter["step"]) == ("train/4", "decode image")
    assert letter["reason"] == "too little memory"
    found = {record["image_id"]: record for record in records.read("train")}
    assert sorted(found) == [1, 2, 3, 5, 6]
    for number, record in found.items():
        pixels = np.asarray(decode_image(images[f"{number - 1}.jpg"], SIDE, "stretch"))
        check_half(record["image_features"], features(pixels[None])[0])
