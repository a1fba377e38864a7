import json
import pickle
from pathlib import Path

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.source import Reference, Source
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from rnnpipe.sources.vqa.vqa_v2_files import VqaFiles

QUESTIONS = "v2_OpenEnded_mscoco_train2014_questions.json"
ANNOTATIONS = "v2_mscoco_train2014_annotations.json"


def ignore(done: int, total: int) -> None: ...


def read_all(source: Source) -> list[Reference | DeadLetter]:
    return [raw for partition in source.partitions() for raw in source.read(partition)]


def change(path: Path, **entries) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **entries}))


def test_references(tmp_path, write_split):
    write_split(tmp_path)
    source = VqaV2(tmp_path)
    source.prepare(ignore)
    assert source.kind == "vqa_v2"
    assert source.split_names == {"train"}
    assert read_all(source) == [
        Reference(
            key=f"train2014/{question_id}",
            group=f"train2014/{image_id}",
            split="train",
            fields={
                "question_id": question_id,
                "image_id": image_id,
                "image": f"{tmp_path}/train2014/COCO_train2014_{image_id:012d}.jpg",
                "question": f"Is this {question_id}?",
                "answers": ["no"] + ["yes"] * 9,
                "answer_type": "yes/no",
                "question_type": "is this",
            },
        )
        for image_id, question_id in ((9, 9000), (9, 9001), (25, 25000))
    ]


def test_parts(tmp_path, write_split):
    write_split(tmp_path, "train2014")
    write_split(tmp_path, "val2014")
    source = VqaV2(tmp_path)
    assert source.split_names == {"train", "test"}
    assert [len(list(source.read(partition))) for partition in source.partitions()] == [3, 3]
    assert len({raw.key for raw in read_all(source)}) == 6


def test_dead_letters(tmp_path, write_split, write_json):
    write_split(tmp_path)
    asked = {"image_id": 9, "question": "Is it?"}
    entries = [
        {**asked, "question_id": 9000},
        {**asked, "question_id": 9000},
        {**asked, "question_id": 1},
        {**asked, "question_id": 9001, "image_id": 77},
        {**asked, "question_id": 25000, "image_id": "25"},
        {**asked, "question_id": 2, "question": None},
        {**asked, "question_id": 3},
        {**asked},
        ["odd"],
    ]
    answered = {"question_type": "is it", "answer_type": "yes/no"}
    answers = [{"answer": "yes"}]
    annotations = [
        *({**answered, "question_id": i, "answers": answers} for i in (9000, 9001, 25000, 2)),
        {**answered, "question_id": 3, "answers": []},
    ]
    change(tmp_path / QUESTIONS, questions=entries)
    change(tmp_path / ANNOTATIONS, annotations=annotations)
    first, *dead = read_all(VqaV2(tmp_path))
    assert isinstance(first, Reference)
    assert first.fields["answers"] == ["yes"]
    assert dead == [
        DeadLetter(f"train2014/{key}", QUESTIONS, step, reason)
        for key, step, reason in (
            (9000, "read question", "another question has this question_id"),
            (1, "read answers", f"{ANNOTATIONS} does not have this question"),
            (9001, "find image", "no image has the number 77"),
            (25000, "read question", "image_id is not a number: '25'"),
            (2, "read question", "the question is not text: None"),
            (3, "read answers", "there are no answers"),
            ("entry 7", "read question", "question_id is not a number: None"),
            ("entry 8", "read question", "question_id is not a number: None"),
        )
    ]


def test_odd_text_stays_as_it_is(tmp_path, write_split):
    write_split(tmp_path)
    odd = "e\u0301 \u2028\u202e\0 \U0001f468\u200d\U0001f467 \ufeff"
    entry = {"image_id": 9, "question_id": 9000, "question": odd}
    change(tmp_path / QUESTIONS, questions=[entry])
    change(
        tmp_path / ANNOTATIONS, annotations=[{"question_id": 9000, "answers": [{"answer": odd}]}]
    )
    [raw] = read_all(VqaV2(tmp_path))
    assert (raw.fields["question"], raw.fields["answers"]) == (odd, [odd])


def test_travels_to_workers(tmp_path, write_split):
    write_split(tmp_path)
    source = VqaV2(tmp_path)
    here = read_all(source)
    there, partition = pickle.loads(pickle.dumps((source, source.partitions()[0])))
    assert list(there.read(partition)) == here
    assert pickle.loads(pickle.dumps(here)) == here


def test_relative_paths_hold_in_other_folders(tmp_path, write_split, monkeypatch):
    write_split(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    source = VqaV2("data")
    monkeypatch.chdir("/")
    assert [Path(raw.fields["image"]).is_file() for raw in read_all(source)] == [True] * 3


def test_files(tmp_path, write_split):
    write_split(tmp_path, "train2014", images="images/{2}.jpg")
    write_split(tmp_path, "val2014", images="images/{2}.jpg")
    names = [path.relative_to(tmp_path).as_posix() for path in VqaV2(tmp_path).raw_files()]
    assert names == [
        QUESTIONS,
        ANNOTATIONS,
        QUESTIONS.replace("train", "val"),
        ANNOTATIONS.replace("train", "val"),
        "images/25.jpg",
        "images/9.jpg",
    ]


def test_settings_tell_which_files_were_named(tmp_path):
    assert VqaV2(tmp_path).settings == {}
    files = {"train": VqaFiles("q.json", Path("a.json"), "photos")}
    assert VqaV2(tmp_path, files).settings == {"train": ["q.json", "a.json", "photos"]}


def test_named_files(tmp_path, write_split):
    write_split(tmp_path, "train2014", "q.json", "a.json", "photos/{2}.jpg")
    source = VqaV2(tmp_path, {"train": VqaFiles("q.json", "a.json", "photos")})
    source.prepare(ignore)
    assert [raw.key for raw in read_all(source)] == [
        "train2014/9000",
        "train2014/9001",
        "train2014/25000",
    ]


def test_a_missing_folder(tmp_path):
    with pytest.raises(UserError) as fault:
        VqaV2(tmp_path / "missing").prepare(ignore)
    assert str(fault.value) == (
        f"{tmp_path / 'missing'}: expected a folder with VQA v2.0, got nothing there; "
        "get VQA v2.0 from https://visualqa.org/download.html, or correct data.source.path"
    )


def test_answers_are_checked_before_the_build(tmp_path, write_split):
    write_split(tmp_path)
    (tmp_path / ANNOTATIONS).write_text('{"annotations": [')
    with pytest.raises(UserError, match="expected JSON, got something else"):
        VqaV2(tmp_path).prepare(ignore)


def test_progress(tmp_path, write_split):
    write_split(tmp_path, "train2014")
    write_split(tmp_path, "val2014")
    calls = []
    VqaV2(tmp_path).prepare(lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]


@pytest.mark.parametrize("name", ["coco_mini", "coco_mini/vqa"])
def test_real_questions_about_real_photographs(shared_data, name):
    source = VqaV2(shared_data / name)
    source.prepare(ignore)
    references = read_all(source)
    assert len(references) == 72
    assert references[0] == Reference(
        key="train2017/25006",
        group="train2017/25",
        split="train",
        fields={
            "question_id": 25006,
            "image_id": 25,
            "image": str(shared_data / "coco_mini/train2017/000000000025.jpg"),
            "question": "What is the giraffe standing behind?",
            "answers": [
                *("tree", "tree", "fallen tree", "tree", "tree"),
                *("log", "trees", "log", "log", "tree"),
            ],
            "answer_type": "other",
            "question_type": "what is the",
        },
    )
    assert all(Path(raw.fields["image"]).is_file() for raw in references)
    assert len(list(source.raw_files())) == 2 + 117
