"""Fixtures that the whole suite shares."""

import gzip
import json
from pathlib import Path

import pytest
from PIL import Image

from rnnpipe.sources.shapes import write_shapes
from rnnpipe.sources.videos.files import encode_video


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of third-party data beside the checkout; tests that need it skip without it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no third-party data: {folder} is not there")
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """No test reads or fills the user's own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def drawn_vqa(tmp_path) -> Path:
    """A folder of 24 drawn scenes with four questions each, as VQA v2.0 files."""
    folder = tmp_path / "raw"
    write_shapes(
        folder,
        images=24,
        size=32,
        seed=1,
        questions_per_image=4,
        disagreement=0.1,
        progress=lambda done, total: None,
    )
    return folder


@pytest.fixture
def handmade_vqa(tmp_path) -> Path:
    """Three photos and four questions whose records can be written down, as VQA v2.0 files."""
    folder = tmp_path / "handmade"
    images = folder / "train2014"
    images.mkdir(parents=True)
    for number, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255)], start=1):
        name = f"COCO_train2014_{number:012d}.jpg"
        Image.new("RGB", (40, 20), colour).save(images / name, quality=95)
    asked = [
        (10, 1, "What color is it?", ["red"] * 8 + ["Red."] * 2),
        (11, 1, "Is it red?", ["yes"] * 9 + ["no"]),
        (20, 2, "What color is it?", ["green"] * 10),
        (30, 3, "How many are there?", ["2"] * 5 + ["two"] * 5),
    ]
    questions = [
        {"question_id": number, "image_id": image, "question": question}
        for number, image, question, _ in asked
    ]
    annotations = [
        {
            "question_id": number,
            "image_id": image,
            "question_type": " ".join(question.lower().split()[:2]),
            "answer_type": "other",
            "multiple_choice_answer": answers[0],
            "answers": [
                {"answer": answer, "answer_confidence": "yes", "answer_id": i}
                for i, answer in enumerate(answers, start=1)
            ],
        }
        for number, image, question, answers in asked
    ]
    header = {"data_type": "mscoco", "data_subtype": "train2014", "info": {}, "license": {}}
    path = folder / "v2_OpenEnded_mscoco_train2014_questions.json"
    path.write_text(json.dumps({**header, "task_type": "Open-Ended", "questions": questions}))
    path = folder / "v2_mscoco_train2014_annotations.json.gz"
    path.write_bytes(gzip.compress(json.dumps({**header, "annotations": annotations}).encode()))
    return folder


@pytest.fixture(scope="session")
def write_clip():
    """Writes a video of grey frames, which their levels tell apart, and makes its folder."""

    def write(path: Path, levels: list[int], rate: float = 10, size: tuple[int, int] = (16, 16)):
        path.parent.mkdir(parents=True, exist_ok=True)
        encode_video(path, (Image.new("RGB", size, (n, n, n)) for n in levels), rate)
        return path

    return write
