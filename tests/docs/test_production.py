"""The page on production: its loops label videos and continue texts by onnxruntime alone."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.exports.exporting import export_model
from tests.exports.test_streams import (
    SYMBOLS,
    build_texts,
    label_task,  # noqa: F401
    labels,  # noqa: F401
)
from tests.tasks.language_model.test_task import make_task as make_text_task
from tests.tasks.video_labeling.test_prediction import NAMES, build

PAGE = Path(__file__).parents[2] / "docs/production.md"
FRAMES, PROMPT, LENGTH = 9, "ab", 200

ONNX_ALONE = """
import sys
for name in ("rnnpipe", "keras", "tensorflow", "jax", "torch"):
    sys.modules[name] = None
"""


def run_examples(folder, *chosen):
    """What the examples with these words print."""
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    code = ONNX_ALONE + "\n".join(next(e for e in examples if word in e) for word in chosen)
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_frames_are_labeled_one_by_one(label_task, labels, tmp_path):  # noqa: F811
    model = build()
    export_model(label_task, model, labels, "onnx", tmp_path / "labeler")
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, 16, 16, 3)).astype("uint8")
    frames[::2] //= 4
    np.save(tmp_path / "frames.npy", frames)
    whole = model({"frames": frames, "frame_index": np.arange(FRAMES)[None]})["frame"][0]
    expected = [NAMES["frame"][label] for label in np.asarray(whole).argmax(axis=1)]
    assert len(set(expected)) > 1
    assert run_examples(tmp_path, "class Step", "frames.npy").split() == expected


def test_a_text_is_continued_as_rnnpipe_does(tmp_path):
    vocabulary = tmp_path / "vocabulary"
    vocabulary.mkdir()
    SYMBOLS.save(vocabulary)
    model = build_texts("gru")
    made = export_model(make_text_task(), model, vocabulary, "onnx", tmp_path / "writer")
    row = {"prompt": PROMPT, "length": LENGTH, "temperature": 0.8, "seed": 0}
    expected = made.run.predict_one(row).answers[0].text
    assert len(expected) == len(PROMPT) + LENGTH
    assert run_examples(tmp_path, "class Step", "writer") == expected
