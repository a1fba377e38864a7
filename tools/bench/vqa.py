"""What it is worth that an image's grid is computed once for all its questions in a batch.

    python -m tools.bench.vqa

Times training steps of the model of `configs/vqa.yaml` on made-up batches, with every question on
an image of its own and with eight questions on each image, interleaved in one process.
"""

import os
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.config.loader import load_config
from rnnpipe.models.vqa import build_vqa_model
from rnnpipe.tasks.vqa.config import VqaConfig
from rnnpipe.training.soft_targets import soft_cross_entropy

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "vqa.yaml"
BATCH, QUESTIONS_PER_IMAGE, SIZE, WORDS, VOCAB, ANSWERS = 48, 8, 64, 11, 60, 18
STEPS, ROUNDS = 20, 7


def make_batches(images: int) -> tf.data.Dataset:
    """The same batch `STEPS` times, with its questions on so many images."""
    rng = np.random.default_rng(0)
    inputs = {
        "image": rng.integers(0, 256, (images, SIZE, SIZE, 3)).astype("uint8"),
        "image_index": np.repeat(np.arange(images), BATCH // images).astype("int32"),
        "question": rng.integers(1, VOCAB, (BATCH, WORDS)).astype("int32"),
    }
    targets = rng.dirichlet(np.ones(ANSWERS), BATCH).astype("float32")
    return tf.data.Dataset.from_tensors((inputs, targets)).repeat(STEPS)


def make_trainer() -> keras.Model:
    """The model of `configs/vqa.yaml`, compiled."""
    config = load_config(CONFIG, {"vqa": VqaConfig})
    model = build_vqa_model(config.model, image_shape=(SIZE, SIZE, 3), vocab=VOCAB, answers=ANSWERS)
    trainer = keras.Model(model.input, model.output["logits"])
    trainer.compile("adam", loss=soft_cross_entropy)
    return trainer


def time_steps(trainer: keras.Model, batches: Any) -> float:
    """Milliseconds of one training step."""
    start = time.perf_counter()
    trainer.fit(batches, verbose=0, shuffle=False)
    return (time.perf_counter() - start) / STEPS * 1000


def main() -> None:
    """Prints the medians and the ratio, pair by pair."""
    trainer = make_trainer()
    apart, shared = make_batches(BATCH), make_batches(BATCH // QUESTIONS_PER_IMAGE)
    for batches in (apart, shared):  # compilation is not counted
        time_steps(trainer, batches)
    pairs = [(time_steps(trainer, apart), time_steps(trainer, shared)) for _ in range(ROUNDS)]
    each, once = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{BATCH} questions a batch, medians of {ROUNDS} x {STEPS} training steps")
    print(
        f"an image for each question:    {each:7.1f} ms/step {BATCH / each * 1000:7.0f} questions/s"
    )
    print(f"{QUESTIONS_PER_IMAGE} questions share an image: {once:9.1f} ms/step", end=" ")
    print(f"{BATCH / once * 1000:7.0f} questions/s")
    print(f"ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
