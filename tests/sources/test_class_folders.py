"""What sources of a folder for each class share, for all of them."""

import os
import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.images.image_folders import ImageFolders
from rnnpipe.sources.text.label_folders import LabelFolders
from tests.sources.reading import ignore_progress, read_all


def write_image(path):
    Image.new("RGB", (8, 8), "red").save(path, "png")


def write_text(path):
    path.write_text("a text")


@pytest.fixture(params=[(ImageFolders, ".png", write_image), (LabelFolders, ".txt", write_text)])
def kind(request):
    """A source, the ending of its files, and what writes one."""
    return request.param


@pytest.fixture
def write(kind, tmp_path):
    """Writes files, named without ending; returns the class of the source."""
    source, ending, write_file = kind

    def write(*names):
        for name in names:
            path = tmp_path / (name if "." in Path(name).name else f"{name}{ending}")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path)
        return source

    return write


def classes(source):
    return sorted(
        (r.split, r.fields["label"]) for r in read_all(source) if not isinstance(r, DeadLetter)
    )


def test_hidden_folders_and_files_are_no_data(write, tmp_path, kind):
    source = write("train/a/1", "train/b/1", "train/.ipynb_checkpoints/1", "train/__MACOSX/1")
    (tmp_path / "train" / "a" / f"._1{kind[1]}").write_bytes(b"\x00\x05\x16\x07")
    assert classes(source(path=tmp_path)) == [("train", "a"), ("train", "b")]


def test_a_file_whose_name_is_not_utf_8_is_a_dead_letter(write, tmp_path, kind):
    source = write("a/1", "b/1")
    with open(os.path.join(os.fsencode(tmp_path / "a"), b"caf\xe9" + kind[1].encode()), "wb"):
        pass
    found = read_all(source(path=tmp_path))
    name = f"a/caf\\xe9{kind[1]}"
    assert [raw for raw in found if isinstance(raw, DeadLetter)] == [
        DeadLetter(name, name, "read name", "it is not UTF-8; rename the file")
    ]
    assert len(found) == 3


def test_a_class_may_be_called_like_a_split(write, tmp_path):
    source = write("bus/1", "car/1", "train/1", "test/1")
    expected = [("train", name) for name in ("bus", "car", "test", "train")]
    assert classes(source(path=tmp_path)) == expected
    assert classes(source(path=tmp_path, labels=("bus", "train"))) == [expected[0], expected[3]]


def test_splits_may_have_a_class_called_like_one(write, tmp_path):
    source = write("train/train/1", "train/bus/1", "val/train/1", "train/stray")
    assert classes(source(path=tmp_path)) == [
        ("train", "bus"),
        ("train", "train"),
        ("validation", "train"),
    ]


def test_a_label_that_no_folder_has_is_a_mistake(write, tmp_path):
    source = write("a/1", "b/1", "c/1")
    with pytest.raises(UserError, match="got none called cc with"):
        source(path=tmp_path, labels=("a", "b", "cc")).prepare(ignore_progress)


def test_a_label_is_the_same_in_any_unicode_normalization(write, tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    source = write(f"train/{composed}/1", f"val/{decomposed}/1", "train/b/1")
    expected = [("train", "b"), ("train", composed), ("validation", composed)]
    assert classes(source(path=tmp_path)) == expected
    assert classes(source(path=tmp_path, labels=(decomposed, "b"))) == expected


def test_empty_folders_are_reported(write, tmp_path, kind):
    source = write("train/a/1", "train/b/1")
    (tmp_path / "train" / "c").mkdir()
    (notice,) = source(path=tmp_path).notices
    assert notice.startswith("data.source: train/c/ is not read; it has no ")
    assert kind[1] in notice


def test_files_of_another_kind_are_reported_where_there_are_no_others(write, tmp_path):
    source = write("a/1.docx", "b/1.docx", "b/2.odt")
    with pytest.raises(UserError, match=r"got none, and files that end in \.docx, \.odt; correct"):
        source(path=tmp_path).prepare(ignore_progress)


def test_links_lead_to_classes(write, tmp_path):
    source = write("elsewhere/b/1", "raw/a/1")
    (tmp_path / "raw" / "b").symlink_to(tmp_path / "elsewhere" / "b")
    assert classes(source(path=tmp_path / "raw")) == [("train", "a"), ("train", "b")]


@pytest.mark.parametrize("ending", [".webp", ".gif", ".bmp", ".tif", ".JPG", ".ppm"])
def test_images_of_any_raster_format(tmp_path, ending):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        Image.new("RGB", (8, 8), "red").save(tmp_path / label / f"1{ending}")
    assert classes(ImageFolders(path=tmp_path)) == [("train", "a"), ("train", "b")]
