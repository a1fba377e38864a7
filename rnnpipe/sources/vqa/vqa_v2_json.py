"""The two JSON files of a split of VQA v2.0: its questions, and the answers that people gave."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

from rnnpipe.errors import UserError
from rnnpipe.sources.folder import describe_json, read_json
from rnnpipe.sources.ids import read_id


class Annotation(NamedTuple):
    """What people answered to a question, as found: nothing is checked yet.

    Args:
        answers: the text of each answer.
        answer_type: what kind of answer most of them are.
        question_type: how the question begins.
        image_id: the image that they saw.
    """

    answers: Any
    answer_type: Any
    question_type: Any
    image_id: Any


def read_questions(path: Path) -> tuple[str, list[Any]]:
    """The questions of a split.

    Returns:
        The split's `data_subtype`, e.g. `train2014`, and the entries as found.

    Raises:
        UserError: the file is no questions file of VQA v2.0.
    """
    content = read_json(path)
    questions: list[Any] = _member(path, content, "questions", list)
    subtype: str = _member(path, content, "data_subtype", str)
    return subtype, questions


def read_annotations(path: Path) -> dict[int, Annotation | None]:
    """The annotations of a split by their `question_id`; None where several differ.

    Raises:
        UserError: the file is no annotations file of VQA v2.0.
    """
    entries = _member(path, read_json(path, _compact), "annotations", list)
    annotations: dict[int, Annotation | None] = {}
    for entry in entries:
        question_id = read_id(entry[0]) if isinstance(entry, tuple) else None
        if question_id is not None:
            same = annotations.setdefault(question_id, entry[1])
            annotations[question_id] = entry[1] if same == entry[1] else None
    if not annotations:
        raise UserError(
            str(path),
            "annotations with a 'question_id'",
            "none",
            "give an annotations file of VQA v2.0",
        )
    return annotations


def _member(path: Path, content: Any, key: str, kind: type) -> Any:
    if not isinstance(content, dict) or key not in content:
        got = f"no such key in {describe_json(content)}"
    elif not isinstance(content[key], kind):
        got = f"{describe_json(content[key])} under it"
    else:
        return content[key]
    raise UserError(
        str(path),
        f"the key '{key}' with {describe_json(kind())}",
        got,
        "give a file in the format of VQA v2.0, see https://visualqa.org/vqa_v2_teaser.html",
    )


def _compact(entry: dict[str, Any]) -> Any:
    """An answer as its text, an annotation as a tuple, each text kept once.

    VQA v2.0's training split has 4.4 million answers: as dictionaries they take ten times as much
    memory.
    """
    if "question_id" in entry:
        kind, opening = entry.get("answer_type"), entry.get("question_type")
        annotation = Annotation(
            entry.get("answers"), _once(kind), _once(opening), entry.get("image_id")
        )
        return entry["question_id"], annotation
    if "answer" in entry:
        return _once(entry["answer"])
    return entry


def _once(value: Any) -> Any:
    return sys.intern(value) if isinstance(value, str) else value
