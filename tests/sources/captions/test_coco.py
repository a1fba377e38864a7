import json
import pickle
import re
from collections import Counter
from pathlib import Path

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.coco_files import CaptionFiles
from rnnpipe.storage.endings import IMAGE_ENDINGS
from tests.sources.reading import ignore_progress

PHOTO = "{:012d}.jpg"


def photo(number, **more):
    return {"id": number, "file_name": PHOTO.format(number), **more}


def said(number, image, caption):
    return {"id": number, "image_id": image, "caption": caption}


@pytest.fixture
def write(write_json, tmp_path):
    """Writes a part: two good photos; with `odd`, others that are not as they should be."""

    def write(subtype="train2017", odd=False, start=1):
        folder = tmp_path / subtype
        folder.mkdir()
        images = [photo(start, height=4, width=4), photo(start + 1)]
        captions = [
            said(10, start, "A dog."),
            said(11, start + 1, "A\ncat. "),
            said(12, start, "It runs."),
        ]
        for image in images:
            (folder / image["file_name"]).touch()
        if odd:
            images += [photo(start), photo(77), "no object", {"id": [1]}, photo(78), photo(79)]
            for name in (77, 79):
                (folder / PHOTO.format(name)).touch()
            captions += [said(13, 78, "Where?"), said(14, 79, 5), {"id": 15}, said([], start, "?")]
            captions += ["no object", said(16, start, "")]
        content = {"images": images, "annotations": captions, "info": {}}
        write_json(tmp_path / "annotations" / f"captions_{subtype}.json", content)
        return tmp_path

    return write


def read(source):
    source.prepare(ignore_progress)
    source = pickle.loads(pickle.dumps(source))
    found = [raw for partition in source.partitions() for raw in source.read(partition)]
    letters = [raw for raw in found if isinstance(raw, DeadLetter)]
    return {raw.key: raw for raw in found if not isinstance(raw, DeadLetter)}, letters


def test_images_with_their_captions(write, capsys):
    folder = write()
    references, letters = read(CocoCaptions(path=folder))
    assert letters == []
    assert references["train2017/1"].fields == {
        "image_id": 1,
        "image": str(folder / "train2017" / "000000000001.jpg"),
        "captions": ["A dog.", "It runs."],
        "scene": "",
        "left_out": 0,
    }
    assert references["train2017/2"].fields["captions"] == ["A cat."]
    assert references["train2017/2"].group == "train2017/2"
    assert capsys.readouterr().out == ""  # COCO's own index tells of itself


def test_odd_entries_become_dead_letters(write):
    references, letters = read(CocoCaptions(path=write(odd=True)))
    assert set(references) == {"train2017/1", "train2017/2"}
    assert references["train2017/1"].fields["captions"] == ["A dog.", "It runs.", "?"]
    assert [(letter.key, letter.step, letter.reason) for letter in letters] == [
        ("train2017/entry 4", "read image", "it has no id"),
        ("train2017/entry 5", "read image", "it has no id"),
        ("train2017/caption 5", "read captions", "it does not say of which image it is"),
        ("train2017/caption 7", "read captions", "it does not say of which image it is"),
        ("train2017/1", "read image", "it is listed before"),
        ("train2017/77", "read captions", "there are none"),
        ("train2017/78", "find image", "its file is not there"),
        ("train2017/79", "read captions", "none of 1 is a text"),
    ]
    assert {letter.source for letter in letters} == {"captions_train2017.json"}


def test_parts_become_splits(write):
    write()
    folder = write("val2017", start=5)
    source = CocoCaptions(path=folder)
    references, _ = read(source)
    assert source.split_names == {"train", "test"}
    assert references["val2017/5"].split == "test"
    assert len(list(source.raw_files())) == 2 + 4


def test_files_by_name(write):
    folder = write("mine")
    files = {
        "train": CaptionFiles(
            annotations=Path("annotations/captions_mine.json"), images=Path("mine")
        )
    }
    source = CocoCaptions(path=folder, files=files)
    references, _ = read(source)
    assert set(references) == {"mine/1", "mine/2"}
    assert source.settings["train"] == ["annotations/captions_mine.json", "mine"]


def test_karpathy_splits_take_precedence_over_the_splits_of_files(write, write_json):
    write()
    folder = write("val2017", start=5)
    entries = [("restval", 1), ("val", 2), ("test", 5), ("nonsense", 6), ("train", "x")]
    content = {"images": [{"split": split, "cocoid": number} for split, number in entries]}
    write_json(folder / "dataset_coco.json", content)
    source = CocoCaptions(path=folder, karpathy=Path("dataset_coco.json"))
    references, letters = read(source)
    assert {key: r.split for key, r in references.items()} == {
        "train2017/1": "train",
        "train2017/2": "validation",
        "val2017/5": "test",
    }
    assert source.split_names == {"train", "validation", "test"}
    assert [(letter.key, letter.step) for letter in letters] == [("val2017/6", "find split")]
    assert source.settings == {"karpathy": True}
    assert folder / "dataset_coco.json" in source.raw_files()
    write_json(folder / "dataset_coco.json", {"images": [{"split": "val", "cocoid": 1}]})
    with pytest.raises(UserError, match="some of them 'train', got 1 such images, none to train"):
        CocoCaptions(path=folder, karpathy=Path("dataset_coco.json")).prepare(
            lambda done, total: None
        )


def test_the_real_data_is_read(shared_data):
    references, letters = read(CocoCaptions(path=shared_data / "coco_mini"))
    assert Counter(r.split for r in references.values()) == {"train": 88, "test": 222}
    assert letters == []
    assert sum(len(r.fields["captions"]) for r in references.values()) == 440 + 1111


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "the key 'images' with a list, got a list"),
        ({"images": []}, "the key 'annotations' with a list, got an object with 'images'"),
        ({"images": [], "annotations": {}}, "the key 'annotations' with a list, got an object"),
    ],
)
def test_malformed_json_is_refused(write, write_json, content, message):
    folder = write()
    write_json(folder / "annotations" / "captions_train2017.json", content)
    with pytest.raises(UserError, match=re.escape(message)):
        CocoCaptions(path=folder).prepare(ignore_progress)


def test_missing_files_are_named(write, tmp_path):
    def error_of(source):
        with pytest.raises(UserError) as fault:
            source.prepare(ignore_progress)
        return str(fault.value)

    assert "a folder with COCO captions, got nothing there" in error_of(
        CocoCaptions(path=tmp_path / "no")
    )
    assert "captions of COCO (*captions*.json" in error_of(CocoCaptions(path=tmp_path))
    folder = write()
    nowhere = CaptionFiles(
        annotations=Path("annotations/captions_train2017.json"), images=Path("photos")
    )
    assert "a folder, got none there" in error_of(
        CocoCaptions(path=folder, files={"train": nowhere})
    )
    nothing = CaptionFiles(annotations=Path("captions.json"), images=Path("train2017"))
    assert "a file, got none there" in error_of(CocoCaptions(path=folder, files={"train": nothing}))
    assert "files for 'train'" in error_of(CocoCaptions(path=folder, files={"test": nothing}))
    (folder / "train2017").rename(folder / "photos")
    assert "images of captions_train2017.json, e.g. 000000000001.jpg, got no folder" in error_of(
        CocoCaptions(path=folder)
    )
    (folder / "photos").rename(folder / "train2017")
    twice = json.loads((folder / "annotations" / "captions_train2017.json").read_text())
    (folder / "annotations" / "captions_train2014.json").write_text(json.dumps(twice))
    assert "one file of captions for the split 'train'" in error_of(CocoCaptions(path=folder))


def write_part(write_json, folder, images, annotations, part="train", files=()):
    write_json(folder / f"captions_{part}.json", {"images": images, "annotations": annotations})
    for name in files:
        path = folder / part / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def listed(*files):
    return [{"id": number, "file_name": name} for number, name in enumerate(files, start=1)]


def captioned(*images):
    return [{"id": number, "image_id": number, "caption": "x"} for number in images]


def test_captions_of_an_ambiguous_id_are_dead_letters(write_json, tmp_path):
    images = [*listed("1.jpg"), {"id": 5, "file_name": "a.jpg"}, {"id": "5", "file_name": "b.jpg"}]
    files = ["1.jpg", "a.jpg", "b.jpg"]
    write_part(write_json, tmp_path, images, captioned(1, 5), files=files)
    references, letters = read(CocoCaptions(path=tmp_path))
    assert set(references) == {"train/1"}
    reasons = [(letter.key, letter.step, letter.reason) for letter in letters]
    assert reasons == [("train/5", "read image", "2 images have this id")] * 2


def test_captions_need_no_id_of_their_own(write_json, tmp_path):
    captions = [
        {"image_id": 1, "caption": "a"},
        {"id": "x", "image_id": "1", "caption": "b"},
        {"id": 3, "image_id": 1.0, "caption": "c"},
        {"id": 3, "image_id": 1, "caption": "d"},
    ]
    write_part(write_json, tmp_path, listed("1.jpg"), captions, files=["1.jpg"])
    references, letters = read(CocoCaptions(path=tmp_path))
    assert references["train/1"].fields["captions"] == ["a", "b", "c", "d"]
    assert letters == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("1.webp", "1.webp"),
        ("1.gif", "1.gif"),
        ("1", "1"),
        ("a/1.jpg", "a/1.jpg"),
        ("a\\1.jpg", "a/1.jpg"),
        ("caf\u00e9.jpg", "cafe\u0301.jpg"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
    ],
)
def test_any_file_name_is_supported(write_json, tmp_path, name, file):
    write_part(write_json, tmp_path, listed("2.jpg", name), captioned(1, 2), files=["2.jpg", file])
    source = CocoCaptions(path=tmp_path)
    references, letters = read(source)
    assert letters == []
    assert references["train/2"].fields["image"] == str(tmp_path / "train" / file)
    if file.endswith(IMAGE_ENDINGS):
        assert {r.fields["image"] for r in references.values()} <= set(map(str, source.raw_files()))


def test_files_may_be_named_from_the_folder_of_the_data_set(write_json, tmp_path):
    images = listed("train/1.jpg", "train/more/2.jpg")
    write_part(write_json, tmp_path, images, captioned(1, 2), files=["1.jpg", "more/2.jpg"])
    references, letters = read(CocoCaptions(path=tmp_path))
    assert (set(references), letters) == ({"train/1", "train/2"}, [])


def test_folders_may_be_links(write_json, tmp_path):
    real, raw = tmp_path / "real", tmp_path / "raw"
    write_part(write_json, real, listed("1.jpg"), captioned(1), files=["1.jpg"])
    raw.mkdir()
    (raw / "coco").symlink_to(real)
    references, letters = read(CocoCaptions(path=raw))
    assert (set(references), letters) == ({"train/1"}, [])


def test_captions_of_images_that_are_not_listed_are_counted(write_json, tmp_path):
    write_part(write_json, tmp_path, listed("1.jpg"), captioned(1, 7, 8), files=["1.jpg"])
    source = CocoCaptions(path=tmp_path)
    read(source)
    assert source.notices == [
        "data.source: 2 captions of captions_train.json are of images that it does not list, "
        "not read"
    ]
