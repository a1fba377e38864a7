import json
import pickle
from pathlib import Path

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.source import Reference, Source
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from rnnpipe.sources.vqa.vqa_v2_files import VqaFiles
from tests.sources.reading import ignore_progress, send_to_worker

QUESTIONS = "v2_OpenEnded_mscoco_train2014_questions.json"
ANNOTATIONS = "v2_mscoco_train2014_annotations.json"


def ignore(done: int, total: int) -> None: ...


def read_all(source: Source) -> list[Reference | DeadLetter]:
    return [raw for partition in source.partitions() for raw in source.read(partition)]


def change(path: Path, **entries) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **entries}))


def test_references_have_the_documented_fields(tmp_path, write_split):
    write_split(tmp_path)
    source = VqaV2(path=tmp_path)
    source.prepare(ignore_progress)
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


def test_every_split_is_read(tmp_path, write_split):
    write_split(tmp_path, "train2014")
    write_split(tmp_path, "val2014")
    source = VqaV2(path=tmp_path)
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
        {**asked, "question_id": 25000, "image_id": [25]},
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
    first, *dead = read_all(VqaV2(path=tmp_path))
    assert isinstance(first, Reference)
    assert first.fields["answers"] == ["yes"]
    assert dead == [
        DeadLetter(f"train2014/{key}", QUESTIONS, step, reason)
        for key, step, reason in (
            (9000, "read question", "it is asked before"),
            (1, "read answers", f"{ANNOTATIONS} does not have this question"),
            (9001, "find image", "no image has the number 77"),
            (25000, "read question", "image_id is not an id: [25]"),
            (2, "read question", "the question is not text: None"),
            (3, "read answers", "there are no answers"),
            ("entry 7", "read question", "question_id is not an id: None"),
            ("entry 8", "read question", "question_id is not an id: ['odd']"),
        )
    ]


def test_unusual_text_is_unchanged(tmp_path, write_split):
    write_split(tmp_path)
    odd = "e\u0301 \u2028\u202e\0 \U0001f468\u200d\U0001f467 \ufeff"
    entry = {"image_id": 9, "question_id": 9000, "question": odd}
    change(tmp_path / QUESTIONS, questions=[entry])
    change(
        tmp_path / ANNOTATIONS, annotations=[{"question_id": 9000, "answers": [{"answer": odd}]}]
    )
    [raw] = read_all(VqaV2(path=tmp_path))
    assert (raw.fields["question"], raw.fields["answers"]) == (odd, [odd])


def test_it_can_be_pickled_for_workers(tmp_path, write_split):
    write_split(tmp_path)
    source = VqaV2(path=tmp_path)
    here = read_all(source)
    there, partition = pickle.loads(pickle.dumps((source, source.partitions()[0])))
    assert list(there.read(partition)) == here
    assert pickle.loads(pickle.dumps(here)) == here


def test_relative_paths_hold_in_other_folders(tmp_path, write_split, monkeypatch):
    write_split(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    source = VqaV2(path=Path("data"))
    source, partitions = send_to_worker(source)
    monkeypatch.chdir("/")
    [partition] = partitions
    read = list(source.read(partition))
    assert [Path(raw.fields["image"]).is_file() for raw in read] == [True] * 3


def test_raw_files_are_listed(tmp_path, write_split):
    write_split(tmp_path, "train2014", images="images/{2}.jpg")
    write_split(tmp_path, "val2014", images="images/{2}.jpg")
    names = [path.relative_to(tmp_path).as_posix() for path in VqaV2(path=tmp_path).raw_files()]
    assert names == [
        QUESTIONS,
        ANNOTATIONS,
        QUESTIONS.replace("train", "val"),
        ANNOTATIONS.replace("train", "val"),
        "images/25.jpg",
        "images/9.jpg",
    ]


def test_settings_contain_the_named_files(tmp_path):
    assert VqaV2(path=tmp_path).settings == {}
    files = {
        "train": VqaFiles(
            questions=Path("q.json"), annotations=Path("a.json"), images=Path("photos")
        )
    }
    assert VqaV2(path=tmp_path, files=files).settings == {"train": ["q.json", "a.json", "photos"]}


def test_named_files_are_read(tmp_path, write_split):
    write_split(tmp_path, "train2014", "q.json", "a.json", "photos/{2}.jpg")
    source = VqaV2(
        path=tmp_path,
        files={
            "train": VqaFiles(
                questions=Path("q.json"), annotations=Path("a.json"), images=Path("photos")
            )
        },
    )
    source.prepare(ignore_progress)
    assert [raw.key for raw in read_all(source)] == [
        "train2014/9000",
        "train2014/9001",
        "train2014/25000",
    ]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError) as fault:
        VqaV2(path=tmp_path / "missing").prepare(ignore_progress)
    assert str(fault.value) == (
        f"{tmp_path / 'missing'}: expected a folder with VQA v2.0, got nothing there; "
        "get VQA v2.0 from https://visualqa.org/download.html, or correct data.source.path"
    )


def test_answers_are_checked_before_the_build(tmp_path, write_split):
    write_split(tmp_path)
    (tmp_path / ANNOTATIONS).write_text('{"annotations": [')
    with pytest.raises(UserError, match="expected JSON, got something else"):
        VqaV2(path=tmp_path).prepare(ignore_progress)


def test_progress_counts_the_files(tmp_path, write_split):
    write_split(tmp_path, "train2014")
    write_split(tmp_path, "val2014")
    calls = []
    VqaV2(path=tmp_path).prepare(lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]


@pytest.mark.parametrize("name", ["coco_mini", "coco_mini/vqa"])
def test_real_questions_about_real_photographs(shared_data, name):
    source = VqaV2(path=shared_data / name)
    source.prepare(ignore_progress)
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


def write_questions(folder, write_json, questions, answers, images):
    """Questions as (id, image) and answers as (id, answer, image or None)."""
    asked = [{"question_id": q, "image_id": i, "question": f"What is {q}?"} for q, i in questions]
    answered = [
        {"question_id": q, "answers": [{"answer": a}] * 10, **({"image_id": i} if i else {})}
        for q, a, i in answers
    ]
    write_json(folder / "train_questions.json", {"data_subtype": "train", "questions": asked})
    write_json(folder / "train_annotations.json", {"annotations": answered})
    for name in images:
        path = folder / "train" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    source = VqaV2(path=folder)
    source.prepare(ignore_progress)
    found = read_all(source)
    dead = [(r.key, r.step, r.reason) for r in found if isinstance(r, DeadLetter)]
    return {r.key: r.fields for r in found if isinstance(r, Reference)}, dead


def test_a_number_that_two_files_have_is_a_dead_letter(tmp_path, write_json):
    read, dead = write_questions(
        tmp_path,
        write_json,
        [(1, 1), (2, 2)],
        [(1, "red", None), (2, "red", None)],
        ["street_1.jpg", "indoor_1.jpg", "street_2.jpg"],
    )
    assert set(read) == {"train/2"}
    reason = "2 images have the number 1: indoor_1.jpg, street_1.jpg"
    assert dead == [("train/1", "find image", reason)]


@pytest.mark.parametrize("forms", [(1, "1"), ("1", 1), (1.0, "01"), ("scene-0", "scene-0")])
def test_ids_may_be_numbers_or_text(tmp_path, write_json, forms):
    asked, answered = forms
    images = ["1.webp", "scene-0.jpg"]
    read, dead = write_questions(
        tmp_path, write_json, [(asked, asked)], [(answered, "red", answered)], images
    )
    assert dead == []
    [fields] = read.values()
    name = "scene-0.jpg" if asked == "scene-0" else "1.webp"
    assert fields["image"] == f"{tmp_path}/train/{name}"


def test_answers_about_another_image_are_dead_letters(tmp_path, write_json):
    read, dead = write_questions(
        tmp_path,
        write_json,
        [(1, 1), (2, 2)],
        [(1, "red", 2), (2, "red", "2")],
        ["1.jpg", "2.jpg"],
    )
    assert set(read) == {"train/2"}
    reason = "train_annotations.json says that it is about image 2"
    assert dead == [("train/1", "read answers", reason)]


def test_duplicate_ids_are_dead_letters(tmp_path, write_json):
    read, dead = write_questions(
        tmp_path,
        write_json,
        [(1, 1), (1, 2), (3, 1), (4, 1)],
        [(1, "red", None), (3, "red", None), (3, "blue", None), (4, "red", None)],
        ["1.jpg", "2.jpg"],
    )
    assert set(read) == {"train/4"}
    assert dead == [
        ("train/1", "read question", "several questions have this question_id"),
        ("train/1", "read question", "several questions have this question_id"),
        (
            "train/3",
            "read answers",
            "train_annotations.json has this question twice, with other answers",
        ),
    ]
