from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.vqa.vqa_v2_json import Annotation, read_annotations, read_questions

FORMAT = "give a file in the format of VQA v2.0, see https://visualqa.org/vqa_v2_teaser.html"


def error_of(read, path: Path) -> str:
    with pytest.raises(UserError) as fault:
        read(path)
    return str(fault.value).removeprefix(f"{path}: ")


@pytest.fixture
def file(tmp_path, write_json):
    def write(content) -> Path:
        write_json(tmp_path / "file.json.gz", content)
        return tmp_path / "file.json.gz"

    return write


def test_questions_are_read(file):
    entries = [{"question_id": 1}, "odd"]
    path = file({"info": {}, "data_subtype": "train2014", "questions": entries})
    assert read_questions(path) == ("train2014", entries)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            {"annotations": [], "info": {}},
            "expected the key 'questions' with a list, got no such key in an object with "
            f"'annotations', 'info'; {FORMAT}",
        ),
        (
            {},
            f"expected the key 'questions' with a list, got no such key in an object with no keys;"
            f" {FORMAT}",
        ),
        (
            [["Is it?", "yes", 0]],
            f"expected the key 'questions' with a list, got no such key in a list; {FORMAT}",
        ),
        (
            7,
            f"expected the key 'questions' with a list, got no such key in a number; {FORMAT}",
        ),
        (
            {"questions": "many"},
            f"expected the key 'questions' with a list, got text under it; {FORMAT}",
        ),
        (
            {"questions": []},
            "expected the key 'data_subtype' with text, got no such key in an object with "
            f"'questions'; {FORMAT}",
        ),
    ],
)
def test_a_missing_questions_file_is_refused(file, content, fault):
    assert error_of(read_questions, file(content)) == fault


def test_annotations_are_read(file):
    answers = [{"answer": "yes", "answer_id": 1}, {"answer": "no", "answer_id": 2}]
    entries = [
        {"question_id": 5, "answers": answers, "answer_type": "yes/no", "question_type": "is it"},
        {"question_id": 6, "answer_type": "other"},
        {"question_id": "7", "answers": answers, "image_id": 9},
        {"question_id": 8, "answers": answers},
        {"question_id": 8, "answers": answers},
        {"question_id": 9, "answers": answers},
        {"question_id": "9", "answers": answers[:1]},
        {"answers": answers},
        "odd",
    ]
    assert read_annotations(file({"annotations": entries})) == {
        5: Annotation(["yes", "no"], "yes/no", "is it", None),
        6: Annotation(None, "other", None, None),
        7: Annotation(["yes", "no"], None, None, 9),
        8: Annotation(["yes", "no"], None, None, None),
        9: None,
    }


def test_a_missing_annotations_file_is_refused(file):
    captions = {"annotations": [{"image_id": 9, "id": 1, "caption": "A dog."}]}
    assert error_of(read_annotations, file(captions)) == (
        "expected annotations with a 'question_id', got none; give an annotations file of VQA v2.0"
    )
    assert error_of(read_annotations, file({"questions": []})) == (
        "expected the key 'annotations' with a list, got no such key in an object with "
        f"'questions'; {FORMAT}"
    )
