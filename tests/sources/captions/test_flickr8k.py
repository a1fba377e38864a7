import gzip
import json
import re
from collections import Counter

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.ids import hash_id
from tests.sources.reading import send_to_worker

LINES = [
    "9_a.jpg#0\tA dog .",
    "9_a.jpg#1\tThe  dog runs .",
    "7_b.jpg#0\tA cat .",
    "no line of the format",
    "",
    "8_gone.jpg#0\tNo such file .",
    "6_c.jpg#0\tIn no list .",
    "6_c.jpg#1\t\udcff",
    "cover.png#0\tA cover .",
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "Flicker8k_Dataset").mkdir()
    data = "\r\n".join(LINES).encode(errors="surrogateescape")
    (tmp_path / "text" / "Flickr8k.token.txt").write_bytes(data)
    for name in ("9_a.jpg", "7_b.jpg", "6_c.jpg", "cover.png"):
        (tmp_path / "Flicker8k_Dataset" / name).touch()
    for split, names in {"train": ["9_a.jpg", "8_gone.jpg"], "dev": ["7_b.jpg"]}.items():
        path = tmp_path / "text" / f"Flickr_8k.{split}Images.txt"
        path.write_text("\n".join([*names, "cover.png"]))
    return tmp_path


def read(folder, karpathy=None):
    source = Flickr8k(path=folder, karpathy=karpathy)
    source, partitions = send_to_worker(source)
    [partition] = partitions
    return source, list(source.read(partition))


def test_images_with_their_captions(folder):
    source, found = read(folder)
    assert source.split_names == {"train", "validation"}
    letters = [letter for letter in found if isinstance(letter, DeadLetter)]
    references = {r.key: r for r in found if not isinstance(r, DeadLetter)}
    first = references["flickr/9"]
    assert (first.split, first.group) == ("train", "flickr/9")
    assert first.fields == {
        "image_id": 9,
        "image": str(folder / "Flicker8k_Dataset" / "9_a.jpg"),
        "captions": ["A dog .", "The dog runs ."],
        "scene": "",
        "left_out": 0,
    }
    assert references["flickr/7"].split == "validation"
    assert len(references) == 2
    assert [(letter.key, letter.step, letter.reason) for letter in letters] == [
        ("flickr/line 4", "read captions", "not of the form <file>#<number><TAB><caption>"),
        ("flickr/8", "find image", "its file is not there"),
        ("flickr/6", "find split", "none of the lists names this image"),
        (f"flickr/{hash_id('cover.png')}", "find split", "it is in train and in validation"),
    ]
    assert len(list(source.raw_files())) == 3 + 4


def test_all_images_are_training_data_without_lists(folder):
    for path in (folder / "text").glob("*Images.txt"):
        path.unlink()
    source, found = read(folder)
    assert source.split_names == {"train"}
    captions = {r.key: r.fields["captions"] for r in found if not isinstance(r, DeadLetter)}
    assert captions["flickr/6"] == ["In no list ."]  # its other caption is no text


def test_karpathy_splits_take_precedence_over_the_lists(folder):
    (folder / "text" / "Flickr_8k.trainImages.txt").unlink()
    splits = {"7_b.jpg": "train", "9_a.jpg": "val", "6_c.jpg": "test", "8_gone.jpg": "train"}
    entries = [{"filename": name, "split": split} for name, split in splits.items()]
    path = folder / "dataset_flickr8k.json"
    path.write_text(json.dumps({"images": entries, "dataset": "flickr8k"}))
    source, found = read(folder, "dataset_flickr8k.json")
    assert source.split_names == {"train", "validation", "test"}
    parts = {r.key: r.split for r in found if not isinstance(r, DeadLetter)}
    assert parts == {"flickr/7": "train", "flickr/9": "validation", "flickr/6": "test"}
    last = found[-1]
    assert (last.source, last.step) == ("Flickr8k.token.txt: cover.png", "find split")
    assert last.reason == "the Karpathy splits do not have this image"
    assert source.settings != Flickr8k(path=folder).settings
    assert [path.name for path in source.raw_files()][:2] == ["Flickr8k.token.txt", path.name]


def test_the_real_data_is_read(shared_data):
    _, found = read(shared_data / "flickr8k_mini")
    assert Counter(r.split for r in found) == {"train": 2400, "validation": 250, "test": 250}
    assert {len(r.fields["captions"]) for r in found} == {5}
    assert len({r.fields["image_id"] for r in found}) == 2900


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("text/Flickr8k.token.txt", "one file of captions (*.token.txt) here or further down"),
        ("text/Flickr_8k.trainImages.txt", "a list *trainImages.txt, got Flickr_8k.devImages.txt"),
        ("Flicker8k_Dataset", "with the images of Flickr8k.token.txt, e.g. 6_c.jpg, got none here"),
    ],
)
def test_user_errors_are_raised(folder, gone, message):
    (folder / gone).rename(folder.parent / f"{folder.name}-gone")
    with pytest.raises(UserError, match=re.escape(message)):
        read(folder)


def test_a_file_without_captions_is_reported(folder):
    (folder / "text" / "Flickr8k.token.txt").write_text("nothing\n")
    with pytest.raises(UserError, match="lines of <file>#<number><TAB><caption>, got none"):
        read(folder)
    with pytest.raises(UserError, match="a folder with Flickr8k, got nothing there"):
        read(folder / "missing")


def write_flickr(folder, lines, images, lists=None):
    (folder / "x.token.txt").write_bytes("\n".join(lines).encode())
    (folder / "images").mkdir()
    for name in images:
        (folder / "images" / name).touch()
    for name, content in (lists or {}).items():
        (folder / name).write_text("\n".join(content))


def test_an_image_listed_in_two_splits_is_in_neither(tmp_path):
    names = [f"{number}_a.jpg" for number in range(4)]
    lists = {"x.trainImages.txt": names[:3], "x.testImages.txt": names[2:]}
    write_flickr(tmp_path, [f"{name}#0\tA dog ." for name in names], names, lists)
    _, found = read(tmp_path)
    assert [(raw.key, getattr(raw, "reason", raw.__class__.__name__)) for raw in found] == [
        ("flickr/0", "Reference"),
        ("flickr/1", "Reference"),
        ("flickr/2", "it is in test and in train"),
        ("flickr/3", "Reference"),
    ]


def test_names_that_begin_alike_have_numbers_of_their_own(tmp_path):
    names = ["2021_00.jpg", "2021_01.jpg", "7_a.jpg"]
    write_flickr(tmp_path, [f"{name}#0\tA dog ." for name in names], names)
    _, found = read(tmp_path)
    numbers = [reference.fields["image_id"] for reference in found]
    assert numbers == [hash_id("2021_00.jpg"), hash_id("2021_01.jpg"), 7]


def test_the_published_zip_has_lemmas_and_files_of_macos(tmp_path):
    lines = ["1_a.jpg#0\tA dog runs\rin the snow .\r", "2_b.jpg#0\tA cat ."]
    write_flickr(tmp_path, lines, ["1_a.jpg", "2_b.jpg"])
    (tmp_path / "x.lemma.token.txt").write_text("1_a.jpg#0\tA dog run .")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._x.token.txt").write_bytes(b"\x00\x05\x16\x07")
    source, found = read(tmp_path)
    assert [r.fields["captions"] for r in found] == [["A dog runs in the snow ."], ["A cat ."]]
    assert source.notices == [
        "data.source: x.lemma.token.txt is not read; name it as data.source.captions"
    ]
    lemmas = Flickr8k(path=tmp_path, captions="x.lemma.token.txt")
    [lemma] = lemmas.read(lemmas.partitions()[0])
    assert lemma.fields["captions"] == ["A dog run ."]


def test_ambiguous_files_of_captions_or_lists_are_refused(tmp_path):
    write_flickr(tmp_path, ["1_a.jpg#0\tA dog ."], ["1_a.jpg"])
    (tmp_path / "y.token.txt").write_text("1_a.jpg#0\tA dog .")
    with pytest.raises(UserError, match=r"y\.token\.txt; name one as data\.source\.captions"):
        read(tmp_path)
    (tmp_path / "y.token.txt").unlink()
    for name in ("x.trainImages.txt", "y.trainImages.txt"):
        (tmp_path / name).write_text("1_a.jpg")
    with pytest.raises(UserError, match="one list of images for train, got x"):
        read(tmp_path)


def test_captions_that_fill_the_memory_when_they_are_unpacked_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnpipe.sources.text.files.MAX_SMALL", 1 << 20)
    write_flickr(tmp_path, ["1_a.jpg#0\tA dog ."], ["1_a.jpg"])
    path = tmp_path / "x.token.txt"
    path.write_bytes(gzip.compress(path.read_bytes() + b"\n" * (1 << 20)))
    with pytest.raises(UserError, match="expected at most 1,048,576 bytes of text, got more"):
        read(tmp_path)
