import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WritePart = Callable[..., None]


def _write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(content).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


@pytest.fixture
def write_json() -> Callable[[Path, Any], None]:
    """Writes JSON, gzipped where the name says so."""
    return _write_json


@pytest.fixture
def write_split() -> WritePart:
    """Writes a part of a VQA v2.0 data set: three questions about two images."""

    def write(
        folder: Path,
        subtype: str = "train2014",
        questions: str = "v2_OpenEnded_mscoco_{}_questions.json",
        annotations: str = "v2_mscoco_{}_annotations.json",
        images: str = "{}/COCO_{}_{:012d}.jpg",
    ) -> None:
        ids = [(9, 9000), (9, 9001), (25, 25000)]
        header = {"data_type": "mscoco", "data_subtype": subtype}
        asked = [
            {"image_id": image, "question_id": question, "question": f"Is this {question}?"}
            for image, question in ids
        ]
        answered = [
            {
                "question_id": question,
                "image_id": image,
                "question_type": "is this",
                "answer_type": "yes/no",
                "multiple_choice_answer": "yes",
                "answers": [
                    {"answer": "yes" if i else "no", "answer_confidence": "yes", "answer_id": i + 1}
                    for i in range(10)
                ],
            }
            for image, question in ids
        ]
        if questions:
            _write_json(folder / questions.format(subtype), {**header, "questions": asked})
        if annotations:
            _write_json(folder / annotations.format(subtype), {**header, "annotations": answered})
        if images:
            for image in (9, 25):
                path = folder / images.format(subtype, subtype, image)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"")

    return write
