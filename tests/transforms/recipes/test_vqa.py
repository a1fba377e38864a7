"""Records of questions whose images have features."""

import json

import numpy as np
import pytest

from rnnpipe.sources.images.decoding import read_image
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.recipes.vqa import VqaRecipe
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.recipes.backbone import SIDE, check_half, compute_plainly, make_features


@pytest.mark.parametrize("workers", [1, 2])
def test_questions_have_the_features_of_their_image(workers, drawn_vqa, weights, tmp_path):
    source, images = VqaV2(path=drawn_vqa), ImageOptions(size=32)
    recipe = VqaRecipe(image=images, features=make_features(weights))
    build = Build(source, recipe, {"test": 0.2}, records_per_shard=30)
    records = build.run(tmp_path / "records", runner=Runner(workers))
    plain = Build(source, VqaRecipe(image=images), {"test": 0.2}, records_per_shard=30)
    without = plain.run(tmp_path / "plain")
    assert records.spec.name == "vqa_features"
    paths = {
        raw.fields["question_id"]: raw.fields["image"]
        for partition in source.partitions()
        for raw in source.read(partition)
    }
    compute, grids, count = compute_plainly(weights), {}, 0
    for split in records.splits:
        for record, same in zip(records.read(split), without.read(split), strict=True):
            found = record.pop("image_features")
            assert record == same
            path = paths[record["question_id"]]
            if path not in grids:
                grids[path] = compute(read_image(path, SIDE, "stretch"))
            check_half(found, grids[path])
            count += 1
    assert (count, len(grids)) == (96, 24)


def test_each_image_is_computed_once(drawn_vqa, weights, tmp_path, monkeypatch):
    counts, compute = [], FeatureOptions.__call__

    def count(features, images):
        counts.append(len(images))
        return compute(features, images)

    monkeypatch.setattr(FeatureOptions, "__call__", count)
    recipe = VqaRecipe(image=ImageOptions(size=32), features=make_features(weights))
    Build(VqaV2(path=drawn_vqa), recipe, {}, records_per_shard=1000).run(tmp_path / "records")
    assert counts == [4] * 6


def test_a_bad_image_does_not_affect_the_features_of_the_others(drawn_vqa, weights, tmp_path):
    source = VqaV2(path=drawn_vqa)
    broken = sorted((drawn_vqa / "train").iterdir())[3]
    broken.write_bytes(b"no image")
    features = make_features(weights)
    recipe = VqaRecipe(image=ImageOptions(size=32), features=features)
    records = Build(source, recipe, {}, max_bad_fraction=0.2).run(tmp_path / "records")
    assert records.splits == {"train": 92}
    assert {letter["step"] for letter in records.dead_letters()} == {"decode image"}
    names = {path.stem[-12:]: path for path in (drawn_vqa / "train").iterdir()}
    for record in records.read("train"):
        path = names[f"{record['image_id']:012d}"]
        expected = features(np.asarray(read_image(path, SIDE, "stretch"))[None])[0]
        check_half(record["image_features"], expected)


def test_features_are_part_of_the_fingerprint(weights):
    plain, other = VqaRecipe(), VqaRecipe(features=make_features(weights))
    assert plain.settings["features"] is None
    assert json.loads(json.dumps(other.settings)) != json.loads(json.dumps(plain.settings))
