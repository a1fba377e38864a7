"""Questions about images, whatever data set they come from."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args

from rnnpipe.errors import BadRecord
from rnnpipe.sources.source import Reference

AnswerType = Literal["yes/no", "number", "other", "unanswerable"]

ANSWER_TYPES: tuple[AnswerType, ...] = get_args(AnswerType)

_NUMBER = re.compile(r"\d+([.,]\d+)?")


class VqaFields(TypedDict):
    """The `fields` of a reference to a question about an image.

    Args:
        question_id: the question's number, unique in its split of the data set.
        image_id: the image's number, unique in its split.
        image: path of the image's file.
        question: the question as asked.
        answers: what each annotator answered; VQA asks ten.
        answer_type: `yes/no`, `number`, `other`, or `unanswerable` (of VizWiz).
        question_type: how the question begins, e.g. `what color is the`.
    """

    question_id: int
    image_id: int
    image: str
    question: str
    answers: list[str]
    answer_type: AnswerType
    question_type: str


def refer(
    subset: str,
    split: str,
    *,
    question_id: int,
    image_id: int,
    image: Path,
    question: Any,
    answers: Any,
    answer_type: Any = None,
    question_type: Any = None,
) -> Reference:
    """The reference to a question about an image; all that a raw file says is checked here.

    Args:
        subset: the raw data's own name for the split, e.g. `train2014`.
        split: the split that the subset becomes.
        question_id: the question's number.
        image_id: the image's number.
        image: the image's file.
        question: the question.
        answers: what each annotator answered.
        answer_type: one of `ANSWER_TYPES`; `None`: that of the most frequent answer.
        question_type: how the question begins; `None`: its first two words.

    Raises:
        BadRecord: something is missing or is not what it should be.
    """
    _check_text("read question", "the question", question)
    if not question.strip():
        raise BadRecord("read question", "the question is empty")
    if not isinstance(answers, list) or not answers:
        raise BadRecord("read answers", "there are no answers")
    for answer in answers:
        _check_text("read answers", "an answer", answer)
    if not any(map(str.strip, answers)):
        raise BadRecord("read answers", f"all {len(answers)} are empty")
    if answer_type is None:
        answer_type = answer_type_of(Counter(answers).most_common(1)[0][0])
    if answer_type not in ANSWER_TYPES:
        raise BadRecord("read answers", f"unknown answer_type {answer_type!r:.100}")
    if question_type is None:
        question_type = question_type_of(question)
    _check_text("read answers", "question_type", question_type)
    fields = VqaFields(
        question_id=question_id,
        image_id=image_id,
        image=str(image),
        question=question,
        answers=answers,
        answer_type=answer_type,
        question_type=question_type,
    )
    return Reference(f"{subset}/{question_id}", f"{subset}/{image_id}", split, {**fields})


def answer_type_of(answer: str) -> AnswerType:
    """The kind of an answer, by VQA's convention.

    Example:
        >>> [answer_type_of(answer) for answer in ("yes", "2", "red")]
        ['yes/no', 'number', 'other']
    """
    if answer in ("yes", "no"):
        return "yes/no"
    return "number" if _NUMBER.fullmatch(answer) else "other"


def question_type_of(question: str) -> str:
    """The first two words of a question, in lower case: its kind, known from nothing but itself.

    Example:
        >>> question_type_of("What color is the shape?")
        'what color'
    """
    return " ".join(question.lower().split()[:2])


def _check_text(step: str, what: str, value: Any) -> None:
    if not isinstance(value, str):
        raise BadRecord(step, f"{what} is not text: {value!r:.100}")
    try:
        value.encode()
    except UnicodeEncodeError as fault:  # half of a surrogate pair, which JSON can spell
        raise BadRecord(step, f"{what} is not Unicode text: {value!r:.100}") from fault
