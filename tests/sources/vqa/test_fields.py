import pytest

from rnnpipe.errors import BadRecord
from rnnpipe.sources.source import Reference
from rnnpipe.sources.vqa.fields import answer_type_of, question_type_of, refer

GOOD = {
    "question_id": 25000,
    "image_id": 25,
    "image": "train2014/25.jpg",
    "question": "What  COLOR is the café's door \U0001f6aa?",
    "answers": ["red", "red", "dark red"],
    "answer_type": "other",
    "question_type": "what color is the",
}


def reason(**changes) -> tuple[str, str]:
    with pytest.raises(BadRecord) as bad:
        refer("train2014", "train", **{**GOOD, **changes})
    return bad.value.step, bad.value.reason


def test_a_reference_has_the_fields_of_the_raw_data():
    assert refer("val2014", "test", **GOOD) == Reference(
        key="val2014/25000", group="val2014/25", split="test", fields=GOOD
    )


def test_answers_may_be_empty_and_questions_unanswerable():
    given = {**GOOD, "answers": ["", "unanswerable"], "answer_type": "unanswerable"}
    assert refer("train2014", "train", **given).fields == given


def test_types_that_the_raw_data_does_not_give():
    given = {**GOOD, "answers": ["2", "two", "2"], "answer_type": None, "question_type": None}
    fields = refer("train2014", "train", **given).fields
    assert (fields["answer_type"], fields["question_type"]) == ("number", "what color")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question": None}, ("read question", "the question is not text: None")),
        ({"question": " \n"}, ("read question", "the question is empty")),
        (
            {"question": "is it \ud83d?"},
            ("read question", "the question is not Unicode text: 'is it \\ud83d?'"),
        ),
        ({"answers": []}, ("read answers", "there are no answers")),
        ({"answers": None}, ("read answers", "there are no answers")),
        ({"answers": "red"}, ("read answers", "there are no answers")),
        ({"answers": ["red", 3]}, ("read answers", "an answer is not text: 3")),
        (
            {"answers": ["\udc00"]},
            ("read answers", "an answer is not Unicode text: '\\udc00'"),
        ),
        ({"answers": ["", " ", "\n"]}, ("read answers", "all 3 are empty")),
        ({"answer_type": "colour"}, ("read answers", "unknown answer_type 'colour'")),
        ({"answer_type": ["other"]}, ("read answers", "unknown answer_type ['other']")),
        ({"question_type": 7}, ("read answers", "question_type is not text: 7")),
    ],
)
def test_malformed_fields_are_reported(changes, message):
    assert reason(**changes) == message


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("yes", "yes/no"),
        ("no", "yes/no"),
        ("0", "number"),
        ("12", "number"),
        ("3.5", "number"),
        ("1,000", "number"),
        ("two", "other"),
        ("yes sir", "other"),
        ("2 dogs", "other"),
        ("", "other"),
    ],
)
def test_answer_type_of(answer, kind):
    assert answer_type_of(answer) == kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [("Is there  a dog?", "is there"), ("Why?", "why?"), ("", "")],
)
def test_question_type_of(question, kind):
    assert question_type_of(question) == kind
