"""Scenes and questions as the files of VQA v2.0."""

import json
import random
from pathlib import Path
from typing import Any

from rnnpipe.sources.generated.shapes.annotators import most_common, ten_answers
from rnnpipe.sources.generated.shapes.balance import Balance
from rnnpipe.sources.generated.shapes.drawing import draw, encode_jpeg
from rnnpipe.sources.generated.shapes.questions import QUESTION_TYPES, Question, ask
from rnnpipe.sources.generated.shapes.scene import sample_scene
from rnnpipe.sources.source import Progress

PART = "train"

_PROGRESS_EVERY = 50
_HEADER = {
    "info": {
        "description": "Drawn scenes of coloured shapes in the format of VQA v2.0",
        "version": "1.0",
    },
    "data_type": "mscoco",
    "data_subtype": PART,
    "license": {
        "name": "CC0 1.0 Universal",
        "url": "https://creativecommons.org/publicdomain/zero/1.0/",
    },
}


def write_shapes(
    folder: Path,
    images: int,
    *,
    size: int,
    seed: int,
    questions_per_image: int,
    disagreement: float,
    progress: Progress,
) -> None:
    """Draws scenes, asks about them and writes both as VQA v2.0 does, all in the split `train`.

    The same arguments give the same bytes. A picture depends on `seed` and its own number only; its
    questions also on the pictures before it, whose answers they balance. So a larger data set
    begins with the smaller one.

    Args:
        folder: where to write.
        images: how many pictures.
        size: their side in pixels.
        seed: of everything that is drawn at random.
        questions_per_image: how many questions about each.
        disagreement: the probability with which each of the ten annotators is wrong.
        progress: called with how many of how many pictures are done.

    Example:
        >>> from pathlib import Path
        >>> options = {"size": 64, "seed": 7, "questions_per_image": 8, "disagreement": 0.1}
        >>> write_shapes(Path("shapes"), 100, **options, progress=lambda done, of: None)

    Source:
        Goyal et al., "Making the V in VQA Matter" (2017), for the format and for the balance of
        answers; Johnson et al., "CLEVR" (2017), for questions made from scenes.
    """
    (folder / PART).mkdir(parents=True)
    questions: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    balance = Balance()
    for image_id in range(1, images + 1):
        rng = random.Random(f"{seed}/{image_id}")
        scene = sample_scene(rng)
        jpeg = encode_jpeg(draw(scene, size))
        (folder / PART / f"COCO_{PART}_{image_id:012d}.jpg").write_bytes(jpeg)
        for index, question in enumerate(balance.pick(ask(scene, rng), questions_per_image, rng)):
            ids = {"image_id": image_id, "question_id": image_id * 1000 + index}
            questions.append({**ids, "question": question.text})
            annotations.append({**_annotate(question, disagreement, rng), **ids})
        if image_id % _PROGRESS_EVERY == 0 or image_id == images:
            progress(image_id, images)
    _write_json(
        folder / f"v2_OpenEnded_mscoco_{PART}_questions.json",
        {**_HEADER, "task_type": "Open-Ended", "questions": questions},
    )
    _write_json(
        folder / f"v2_mscoco_{PART}_annotations.json", {**_HEADER, "annotations": annotations}
    )


def _annotate(question: Question, disagreement: float, rng: random.Random) -> dict[str, Any]:
    answers = ten_answers(question, disagreement, rng)
    return {
        "question_type": question.type,
        "answer_type": QUESTION_TYPES[question.type],
        "multiple_choice_answer": most_common(answers),
        "answers": [
            {"answer": given.text, "answer_confidence": given.confidence, "answer_id": number}
            for number, given in enumerate(answers, start=1)
        ],
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
