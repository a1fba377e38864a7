from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rnnpipe.errors import UserError
from rnnpipe.sources.generated.clutter.drawing import KINDS, outline
from rnnpipe.sources.generated.cluttered_shapes import ClutteredShapes
from rnnpipe.sources.images.decoding import read_image
from rnnpipe.sources.images.fit import FITS
from rnnpipe.sources.images.image_folders import ImageFolders
from tests.sources.reading import ignore_progress, read_all


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)


def test_a_folder_is_a_class_and_may_lie_in_a_split(tmp_path):
    for name in ("train/cat/1.png", "train/cat/2.JPG", "train/dog/1.png", "val/dog/9.png"):
        write(tmp_path / name)
    (tmp_path / "train" / "cat" / "notes.txt").write_text("not an image")
    source = ImageFolders(path=tmp_path)
    assert {(r.key, r.split, r.fields["label"]) for r in read_all(source)} == {
        ("train/cat/1.png", "train", "cat"),
        ("train/cat/2.JPG", "train", "cat"),
        ("train/dog/1.png", "train", "dog"),
        ("val/dog/9.png", "validation", "dog"),
    }
    assert source.split_names == {"train", "validation"}
    assert {Path(r.fields["image"]) for r in read_all(source)} == set(source.raw_files())


def test_folders_may_be_chosen_and_must_suffice(tmp_path):
    for name in ("a", "b", "c"):
        write(tmp_path / name / "1.png")
    chosen = read_all(ImageFolders(path=tmp_path, labels=("a", "c")))
    assert {r.fields["label"] for r in chosen} == {"a", "c"}
    with pytest.raises(UserError, match="training folder for each label, got none called x"):
        ImageFolders(path=tmp_path, labels=("a", "x")).prepare(ignore_progress)


def test_cluttered_shapes_are_drawn_alike_each_time(tmp_path):
    settings = {"size": 32, "fragments": 3, "seed": 1}
    few = ClutteredShapes(path=tmp_path / "one", images=20, **settings)
    many = ClutteredShapes(path=tmp_path / "two", images=30, **settings)
    first, more = ({r.key: Path(r.fields["image"]) for r in read_all(s)} for s in (few, many))
    assert len(first) == 20
    assert len(more) == 30
    assert {key.split("/")[0] for key in more} <= set(KINDS)
    for key, path in first.items():
        assert path.read_bytes() == more[key].read_bytes()
    with Image.open(next(iter(first.values()))) as picture:
        assert picture.size == (32, 32)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_fill_their_circle_and_differ(kind):
    points = outline(kind, (5.0, 7.0), 2.0, 33.0)
    distances = [((x - 5) ** 2 + (y - 7) ** 2) ** 0.5 for x, y in points]
    assert max(distances) == pytest.approx(2.0)
    assert len({tuple(outline(other, (0, 0), 1, 0)) for other in KINDS}) == len(KINDS)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 500), (500, 1), (4, 1200)])
def test_a_thin_image_is_a_square_too(tmp_path, size, fit):
    Image.new("RGB", size, "red").save(tmp_path / "thin.png")
    image = read_image(tmp_path / "thin.png", 32, fit)
    assert image.size == (32, 32)
    assert np.asarray(image).max() > 30  # some of it is left
