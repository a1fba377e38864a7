"""Notices of what is left out come of the first reading of files that take seconds to read."""

import json
import pickle
from collections import Counter

import pytest

from rnnpipe.sources.captions import coco_files
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.vqa import vqa_v2_json
from rnnpipe.sources.vqa.vqa_v2 import VqaV2

PARTS = ("train", "val")


def write_coco(folder, count):
    for part in PARTS:
        images = [{"id": n, "file_name": f"{n}.jpg"} for n in range(count)]
        captions = [{"image_id": n, "caption": part} for n in range(count + 2)]
        content = {"images": images, "annotations": captions}
        (folder / f"captions_{part}.json").write_text(json.dumps(content))
    return CocoCaptions(path=folder), [
        *(
            f"data.source: 2 captions of captions_{part}.json are of images that it does not "
            "list, not read"
            for part in PARTS
        ),
        *(f"data.source: captions_{part}.json does not list other.jpg, not read" for part in PARTS),
    ]


def write_vqa(folder, count):
    for part in PARTS:
        asked = [{"question_id": n, "image_id": n, "question": "What?"} for n in range(count)]
        answered = [{"question_id": n, "answers": [{"answer": "it"}]} for n in range(count + 2)]
        for kind, entries in (("questions", asked), ("annotations", answered)):
            content = {"data_subtype": part, kind: entries}
            (folder / f"{part}_{kind}.json").write_text(json.dumps(content))
    return VqaV2(path=folder), [
        *(
            f"data.source: 2 annotations of {part}_annotations.json are of no question of "
            f"{part}_questions.json, not read"
            for part in PARTS
        ),
        *(f"data.source: no question is about these of {p}: other.jpg, not read" for p in PARTS),
    ]


def write(folder, make, count=3):
    for part in PARTS:
        (folder / part).mkdir()
        for name in (*range(count), "other"):
            (folder / part / f"{name}.jpg").touch()
    return make(folder, count)


every_source = pytest.mark.parametrize("make", [write_coco, write_vqa])


@every_source
def test_files_of_a_prepared_source_are_not_read_again(tmp_path, make, monkeypatch):
    reads = Counter()

    def counting(read_json):
        def read(path, *options):
            reads[path.name] += 1
            return read_json(path, *options)

        return read

    for module in (coco_files, vqa_v2_json):
        monkeypatch.setattr(module, "read_json", counting(module.read_json))
    source, notices = write(tmp_path, make)
    source.prepare(lambda done, total: None)
    assert list(source.notices) == list(source.notices) == notices
    assert reads == dict.fromkeys((path.name for path in tmp_path.glob("*.json")), 1)


@every_source
def test_what_notices_need_does_not_travel_to_workers(tmp_path, make):
    sizes = []
    for count in (3, 100):
        (folder := tmp_path / str(count).zfill(3)).mkdir()
        source, _ = write(folder, make, count)
        source.prepare(lambda done, total: None)
        sizes.append(len(pickle.dumps((source, source.partitions()))))
    assert sizes[0] == sizes[1]


@every_source
def test_notices_of_a_source_that_is_not_prepared(tmp_path, make):
    source, notices = write(tmp_path, make)
    assert list(source.notices) == notices
