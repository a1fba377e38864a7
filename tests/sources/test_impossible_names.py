"""Names that no file can have: a record of them is a dead letter, and the build goes on."""

import json
from pathlib import Path

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.videos.grid import Grid
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.sources.vqa.easy_vqa import EasyVqa
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from tests.fuzz.cases import put
from tests.sources.reading import ignore_progress, read_all

NAMES = {
    "zero": "a\0b.jpg",
    "long": "x" * 300 + ".jpg",
    "long folder": "x" * 300 + "/1.jpg",
    "zero in a folder": "a\0b/1.jpg",
    "deep": "a/" * 3000 + "1.jpg",
}


def _coco(folder, name):
    images = [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": name}]
    captions = [{"image_id": number, "caption": "a dog"} for number in (1, 2)]
    content = json.dumps({"images": images, "annotations": captions}).encode()
    put(folder / "captions_train2014.json", content)
    put(folder / "train2014" / "1.jpg", b"")
    return CocoCaptions(path=folder)


def _flickr(folder, name):
    put(folder / "x.token.txt", f"1.jpg#0\ta dog\n{name}#0\ta dog\n".encode())
    put(folder / "images" / "1.jpg", b"")
    return Flickr8k(path=folder)


def _clips(folder, name):
    rows = json.dumps({"clip": "1.jpg", "label": "a"}) + "\n" + json.dumps({"clip": name})
    put(folder / "clips.jsonl", rows.encode())
    put(folder / "1.jpg", b"")
    return ClipTable(path=folder, table=Path("clips.jsonl"))


def _easy(folder, name):
    put(folder / "train" / "questions.json", json.dumps([["a", "b", 1], ["a", "b", name]]).encode())
    put(folder / "train" / "images" / "1.jpg", b"")
    return EasyVqa(path=folder)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("make", [_coco, _flickr, _clips, _easy])
def test_a_record_of_it_is_a_dead_letter(make, name, tmp_path):
    source = make(tmp_path, name)
    items = read_all(source)
    assert isinstance(source.notices, list)
    list(source.raw_files())
    assert [isinstance(item, DeadLetter) for item in items].count(True) == 1
    assert len(items) == 2


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_subset_of_questions_has_no_such_folder(name, tmp_path):
    questions = [{"question_id": 1, "image_id": 1, "question": "What?"}]
    answers = [{"question_id": 1, "answers": [{"answer": "a"}]}]
    for kind, entries in (("questions", questions), ("annotations", answers)):
        content = json.dumps({"data_subtype": name, kind: entries}).encode()
        put(tmp_path / "raw" / f"{kind}.json", content)
    with pytest.raises(UserError, match="expected a folder"):
        VqaV2(path=tmp_path / "raw").prepare(ignore_progress)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_an_odd_alignment_is_reported_in_a_few_words(name, tmp_path):
    put(tmp_path / "clips" / "a.mpg", b"")
    put(tmp_path / "align" / "a.align", name.encode() * 1000)
    (letter,) = read_all(Grid(path=tmp_path))
    assert isinstance(letter, DeadLetter)
    assert len(letter.reason) < 300
