import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rnnpipe.sources.generated.shapes import write_shapes
from rnnpipe.sources.generated.shapes.questions import ask
from rnnpipe.sources.generated.shapes.scene import sample_scene

QUESTIONS = "v2_OpenEnded_mscoco_train_questions.json"
ANNOTATIONS = "v2_mscoco_train_annotations.json"


def write(
    folder: Path,
    images: int = 20,
    seed: int = 7,
    disagreement: float = 0.1,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Path:
    write_shapes(
        folder,
        images,
        size=48,
        seed=seed,
        questions_per_image=6,
        disagreement=disagreement,
        progress=progress,
    )
    return folder


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "shapes")


def test_layout_is_that_of_vqa(folder: Path) -> None:
    pictures = [f"train/COCO_train_{number:012d}.jpg" for number in range(1, 21)]
    assert sorted(contents(folder)) == sorted([QUESTIONS, ANNOTATIONS, *pictures])
    for path in pictures:
        with Image.open(folder / path) as picture:
            assert (picture.format, picture.size) == ("JPEG", (48, 48))


def test_fields_are_those_of_vqa(folder: Path, shared_data: Path) -> None:
    real = shared_data / "coco_mini" / "vqa"
    for name, entries in ((QUESTIONS, "questions"), (ANNOTATIONS, "annotations")):
        theirs, ours = read(real / name.replace("train", "train2017")), read(folder / name)
        assert set(ours) == set(theirs)
        assert ours["data_subtype"] == "train"
        assert {name: type(value) for name, value in ours[entries][0].items()} == {
            name: type(value) for name, value in theirs[entries][0].items()
        }
    theirs, ours = (
        read(p) for p in (real / ANNOTATIONS.replace("train", "train2017"), folder / ANNOTATIONS)
    )
    assert set(ours["annotations"][0]["answers"][0]) == set(theirs["annotations"][0]["answers"][0])


def test_questions_and_annotations_belong_together(folder: Path) -> None:
    questions = read(folder / QUESTIONS)["questions"]
    annotations = read(folder / ANNOTATIONS)["annotations"]
    assert len({question["question_id"] for question in questions}) == len(questions) == 20 * 6
    for question, annotation in zip(questions, annotations, strict=True):
        assert question["question_id"] == annotation["question_id"]
        assert question["image_id"] == annotation["image_id"]
        assert [answer["answer_id"] for answer in annotation["answers"]] == list(range(1, 11))
        assert annotation["answer_type"] in ("yes/no", "number", "other")
        assert annotation["question_type"]


def test_answers_are_true_of_the_image_of_that_number(tmp_path: Path) -> None:
    folder = write(tmp_path / "agreed", disagreement=0.0)
    texts = {q["question_id"]: q["question"] for q in read(folder / QUESTIONS)["questions"]}
    compared = 0
    for annotation in read(folder / ANNOTATIONS)["annotations"]:
        scene = sample_scene(random.Random(f"7/{annotation['image_id']}"))
        true = {
            question.text: question.answer
            for draw in range(8)
            for pool in ask(scene, random.Random(draw)).values()
            for question in pool
        }
        text = texts[annotation["question_id"]]
        if text in true:
            assert annotation["multiple_choice_answer"] == true[text]
            compared += 1
    assert compared > 80


def test_bytes_depend_on_the_seed_alone(folder: Path, tmp_path: Path) -> None:
    assert contents(write(tmp_path / "again")) == contents(folder)
    other = contents(write(tmp_path / "other", seed=8))
    assert not {*other.values()} & {*contents(folder).values()}


def test_a_larger_data_set_starts_with_the_smaller_one(folder: Path, tmp_path: Path) -> None:
    larger = write(tmp_path / "larger", images=30)
    theirs, ours = contents(larger), contents(folder)
    assert all(theirs[name] == ours[name] for name in ours if name.endswith(".jpg"))
    for name, entries in ((QUESTIONS, "questions"), (ANNOTATIONS, "annotations")):
        assert read(larger / name)[entries][: 20 * 6] == read(folder / name)[entries]


def test_progress_ends_with_all(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    write(tmp_path / "shapes", images=120, progress=lambda *counts: calls.append(counts))
    assert calls == [(50, 120), (100, 120), (120, 120)]
