import os
import pickle
import unicodedata
from pathlib import Path

import fsspec
import pytest
from PIL import Image

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.file_index import ImageIndex
from rnnpipe.sources.raw_files import list_raw, printable, skipped_notices, walk_raw
from rnnpipe.storage.endings import IMAGE_ENDINGS
from rnnpipe.storage.store_path import StorePath

SYSTEM = (
    *(".DS_Store", "._1.jpg", ".ipynb_checkpoints", "~$notes.txt", "__MACOSX"),
    *("Thumbs.db", "desktop.ini", ".1.jpg.swp", ".git"),
)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@pytest.fixture
def misnamed(tmp_path):
    """A folder with a file whose name is Latin-1."""
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9_9.jpg"), "wb"):
        pass
    return tmp_path


@pytest.mark.parametrize("name", SYSTEM)
@pytest.mark.parametrize("is_folder", [False, True])
def test_system_files_are_no_data(tmp_path, name, is_folder):
    touch(tmp_path, "1.jpg", f"{name}/x_2.jpg" if is_folder else name)
    assert list_raw(tmp_path) == (["1.jpg"], [], [], [name])
    assert [listing.files for _, listing in walk_raw(tmp_path)] == [["1.jpg"]]


def test_unfinished_files_are_not_counted(tmp_path):
    touch(tmp_path, "a/1.jpg", "_records.incomplete-host-7/1.jpg", "x.jpg.incomplete-host-7")
    assert list_raw(tmp_path) == ([], ["a"], [], [])


def test_pipes_are_skipped_and_links_followed(tmp_path):
    touch(tmp_path, "real/1.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "2.jpg").symlink_to(tmp_path / "real/1.jpg")
    (tmp_path / "3.jpg").symlink_to(tmp_path / "nowhere")
    assert list_raw(tmp_path) == (["2.jpg", "3.jpg"], ["folder", "real"], [], ["pipe.jpg"])


def test_a_folder_of_a_store_is_listed_like_a_local_one():
    fsspec.filesystem("memory").pipe({"/raw_files/a/1.jpg": b"", "/raw_files/.x": b""})
    folder = StorePath("memory://raw_files")
    assert list_raw(folder) == ([], ["a"], [], [".x"])
    assert [str(root) for root, _ in walk_raw(folder)] == [str(folder), str(folder / "a")]
    assert list_raw(folder / "missing") == ([], [], [], [])


def test_a_missing_folder_is_listed_as_empty(tmp_path):
    assert list_raw(touch(tmp_path, "file") / "missing") == ([], [], [], [])
    assert list_raw(tmp_path / "file") == ([], [], [], [])


def test_a_folder_without_permission_is_an_error(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(UserError) as fault:
        list_raw(tmp_path)
    assert str(fault.value) == (
        f"{tmp_path}: expected a folder that can be listed, got Permission denied; "
        "ask for the right to read it"
    )


def test_links_to_folders_are_followed_once_and_without_cycles(tmp_path):
    raw, elsewhere = tmp_path / "raw", tmp_path / "elsewhere"
    touch(raw, "b/deep/1.jpg")
    touch(elsewhere, "2.jpg")
    (raw / "b/deep/up").symlink_to(raw)
    (raw / "a").symlink_to(raw / "b")
    (raw / "linked").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(raw / "linked")
    found = [root.relative_to(raw).as_posix() for root, _ in walk_raw(raw)]
    assert found == [".", "b", "b/deep", "linked"]


def test_names_that_are_not_utf_8_are_dead_letters(misnamed):
    (name,) = list_raw(misnamed).misnamed
    assert printable(name) == "caf\\xe9_9.jpg"
    assert ImageIndex(misnamed).images == []


def test_unread_files_are_reported_with_an_example(misnamed):
    touch(misnamed, "train/a/1.jpg", "train/a/.x", "train/.ipynb_checkpoints/1.jpg", "val/b/2.jpg")
    files = [misnamed / "train/a/1.jpg", misnamed / "val/b/2.jpg"]
    assert skipped_notices(files) == [
        "data.source: hidden and system files are not read: 2, such as .ipynb_checkpoints",
        "data.source: files whose names are not UTF-8 are not read: 1, such as caf\\xe9_9.jpg",
    ]
    assert skipped_notices([misnamed / "val/b/2.jpg"]) == []
    assert skipped_notices([]) == []


def test_images_are_indexed_by_their_numbers(tmp_path):
    names = ["COCO_train2014_000000000009.jpg", "000000000025.JPEG", "7.webp", "cover.jpg"]
    index = ImageIndex(touch(tmp_path, *names, "9.txt", "8.jpg.part", "._6.jpg"))
    assert index.images == sorted(names)
    assert {number: index.find_number(number).name for number in (9, 25, 7)} == {
        9: "COCO_train2014_000000000009.jpg",
        25: "000000000025.JPEG",
        7: "7.webp",
    }
    with pytest.raises(BadRecord, match="no image has the number 8"):
        index.find_number(8)
    assert pickle.loads(pickle.dumps(index)).find_number(7) == tmp_path / "7.webp"


def test_a_number_of_two_images_refers_to_neither(tmp_path):
    index = ImageIndex(touch(tmp_path, "street_1.jpg", "indoor_1.jpg", "01.png", "1.gif", "2.jpg"))
    with pytest.raises(BadRecord) as fault:
        index.find_number(1)
    assert str(fault.value) == (
        "find image: 4 images have the number 1: 01.png, 1.gif, indoor_1.jpg, …"
    )
    assert index.find_number(2).name == "2.jpg"


@pytest.mark.parametrize("there", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_names_are_equal_in_any_unicode_normalization(tmp_path, there, asked):
    spelled = {form: unicodedata.normalize(form, "dîner/café.jpg") for form in ("NFC", "NFD")}
    touch(tmp_path, f"dîner/{spelled[there].partition('/')[2]}")
    name = f"dîner/{spelled[asked].partition('/')[2]}"
    assert ImageIndex(tmp_path).find_name(name).is_file()


def test_names_may_lie_in_the_folder_but_not_outside(tmp_path):
    folder = touch(tmp_path / "train", "a/b/1.jpg", "2.jpg")
    touch(tmp_path, "secret.jpg")
    index = ImageIndex(folder)
    assert index.find_name("a/b/1.jpg") == folder / "a/b/1.jpg"
    assert index.find_name("a\\b\\1.jpg") == folder / "a/b/1.jpg"
    assert index.find_name("./2.jpg") == folder / "2.jpg"
    for name, reason in {
        "3.jpg": "its file is not there",
        "c/1.jpg": "its file is not there",
        "../secret.jpg": "../secret.jpg is not inside the folder",
        str(tmp_path / "secret.jpg"): f"{tmp_path}/secret.jpg is not inside the folder",
    }.items():
        with pytest.raises(BadRecord, match=reason):
            index.find_name(name)
    for other in (None, 5, "", ["2.jpg"]):
        with pytest.raises(BadRecord, match="not the name of a file"):
            index.find_name(other)


def test_every_image_ending_is_a_format_that_pillow_opens():
    Image.init()
    formats = {ending: Image.registered_extensions().get(ending) for ending in IMAGE_ENDINGS}
    assert {ending for ending, form in formats.items() if form not in Image.OPEN} == set()
