import pickle
from collections import Counter

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.source import Reference
from rnnpipe.sources.vqa.easy_vqa import EasyVqa
from tests.sources.reading import ignore_progress

GET_IT = "get easy-VQA from https://github.com/vzhou842/easy-VQA, or correct data.source.path"


def ignore(done: int, total: int) -> None: ...


@pytest.fixture
def write(tmp_path, write_json):
    def write(part: str, questions, images=(0, 1)) -> None:
        write_json(tmp_path / part / "questions.json", questions)
        (tmp_path / part / "images").mkdir()
        for image in images:
            (tmp_path / part / "images" / f"{image}.png").touch()

    return write


def error_of(folder) -> str:
    with pytest.raises(UserError) as fault:
        EasyVqa(path=folder).prepare(ignore_progress)
    return str(fault.value)


def test_references_have_the_documented_fields(tmp_path, write):
    write("train", [["what color is the shape?", "blue", 1], ["Is there a circle?", "no", 0]])
    write("test", [["is there not a circle?", "yes", 0]])
    source = EasyVqa(path=tmp_path)
    source.prepare(ignore_progress)
    assert source.kind == "easy_vqa"
    assert source.split_names == {"train", "test"}
    assert source.settings == {}
    source, partitions = pickle.loads(pickle.dumps((source, source.partitions())))
    assert [list(source.read(partition)) for partition in partitions] == [
        [
            Reference(
                key=f"{part}/{number}",
                group=f"{part}/{image_id}",
                split=part,
                fields={
                    "question_id": number,
                    "image_id": image_id,
                    "image": f"{tmp_path}/{part}/images/{image_id}.png",
                    "question": question,
                    "answers": [answer] * 10,
                    "answer_type": answer_type,
                    "question_type": question_type,
                },
            )
            for number, image_id, question, answer, answer_type, question_type in rows
        ]
        for part, rows in (
            (
                "train",
                [
                    (0, 1, "what color is the shape?", "blue", "other", "what color"),
                    (1, 0, "Is there a circle?", "no", "yes/no", "is there"),
                ],
            ),
            ("test", [(0, 0, "is there not a circle?", "yes", "yes/no", "is there")]),
        )
    ]


def test_a_single_split_is_used_for_training(tmp_path, write):
    write("test", [["is it?", "yes", 0]])
    assert EasyVqa(path=tmp_path).split_names == {"train"}


def test_dead_letters(tmp_path, write):
    write(
        "train",
        [["is it?", "yes", 0], ["is it?", "yes"], "is it?", ["is it?", 3, 1], ["is it?", "no", 9]],
    )
    source = EasyVqa(path=tmp_path)
    first, *dead = source.read(source.partitions()[0])
    assert isinstance(first, Reference)
    assert dead == [
        DeadLetter(f"train/{number}", "train/questions.json", step, reason)
        for number, step, reason in (
            (1, "read question", "not [question, answer, image id]: ['is it?', 'yes']"),
            (2, "read question", "not [question, answer, image id]: 'is it?'"),
            (3, "read answers", "an answer is not text: 3"),
            (4, "find image", "no image has the number 9"),
        )
    ]


def test_raw_files_are_listed(tmp_path, write):
    write("train", [["is it?", "yes", 0]])
    write("test", [["is it?", "yes", 0]], images=[0])
    names = [path.relative_to(tmp_path).as_posix() for path in EasyVqa(path=tmp_path).raw_files()]
    assert names == [
        "train/questions.json",
        "train/images/0.png",
        "train/images/1.png",
        "test/questions.json",
        "test/images/0.png",
    ]


def test_a_missing_folder_is_refused(tmp_path):
    assert error_of(tmp_path / "missing") == (
        f"{tmp_path / 'missing'}: expected a folder with easy-VQA, got nothing there; {GET_IT}"
    )


def test_another_folder_is_refused(tmp_path):
    assert error_of(tmp_path) == (
        f"{tmp_path}: expected the folders train and test, got neither; {GET_IT}"
    )


def test_missing_questions_are_refused(tmp_path):
    (tmp_path / "train").mkdir()
    assert error_of(tmp_path) == (
        f"{tmp_path}/train/questions.json: expected JSON, got a file that cannot be read "
        "(No such file or directory); download or unpack it again"
    )


@pytest.mark.parametrize(
    ("content", "got"),
    [
        ({"questions": []}, "an object with 'questions'"),
        ([["is it?", "yes"]], "a list of others"),
        ([], "an empty list"),
    ],
)
def test_questions_of_another_kind(tmp_path, write, content, got):
    write("train", content)
    assert error_of(tmp_path) == (
        f"{tmp_path}/train/questions.json: expected a list of [question, answer, image id], "
        f"got {got}; {GET_IT}"
    )


@pytest.mark.parametrize(("images", "got"), [([7, 8], "2 others"), ([], "none")])
def test_questions_without_images(tmp_path, write, images, got):
    write("train", [["is it?", "yes", 0]], images)
    assert error_of(tmp_path) == (
        f"{tmp_path}/train/images: expected the images that train/questions.json asks about, "
        f"got {got}; {GET_IT}"
    )


def test_the_real_data_is_read(shared_data):
    source = EasyVqa(path=shared_data / "easy_vqa")
    source.prepare(ignore_progress)
    raw = [list(source.read(partition)) for partition in source.partitions()]
    assert [len(part) for part in raw] == [38_575, 4_827]
    assert all(isinstance(reference, Reference) for part in raw for reference in part)
    kinds = Counter(reference.fields["answer_type"] for reference in raw[1])
    answers = Counter(reference.fields["answers"][0] for reference in raw[1])
    assert kinds == {"yes/no": answers["yes"] + answers["no"], "other": kinds["other"]}
    assert len(answers) == 13
