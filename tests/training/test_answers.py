"""What hard attention adds to the loss of answers."""

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.models.vqa import VqaOptions, build_vqa_model
from rnnpipe.training.answers import AnswerTrainer
from rnnpipe.training.soft_targets import soft_cross_entropy

RNG = np.random.default_rng(1)
INPUTS = {
    "image": RNG.normal(size=(4, 2, 2, 4)).astype("float32"),
    "image_index": np.array([0, 1, 1, 2]),
    "question": np.array([[4, 5], [6, 0], [7, 8], [9, 4]]),
}
TARGETS = RNG.dirichlet(np.ones(5), 4).astype("float32")
ADDITIVE = {"kind": "additive", "units": 4, "glimpses": 2}
HARD = {
    "kind": "hard",
    "mechanism": {"kind": "additive", "units": 4},
    "expected_share": 0.0,
}


def make_trainer(attention, **options):
    keras.utils.set_random_seed(3)
    settings = {
        "image_encoder": {"kind": "features", "units": 4},
        "embedding": {"size": 3},
        "question_encoder": {"cell": {"kind": "gru", "units": 4}},
        "fusion_units": 4,
        "attention": attention,
        "hidden_units": 4,
    }
    model = build_vqa_model(
        load_settings(VqaOptions, settings), image_shape=(2, 2, 4), vocab=11, answers=5
    )
    trainer = AnswerTrainer(model, **options)
    trainer.compile(keras.optimizers.SGD(0.1), soft_cross_entropy)
    return trainer


@pytest.mark.parametrize("attention", [ADDITIVE, HARD], ids=["soft", "hard"])
def test_evaluation_is_by_the_answers_alone(attention):
    trainer = make_trainer(attention)
    log_probs = np.asarray(keras.ops.log_softmax(trainer(INPUTS)["logits"]))
    expected = -(TARGETS * log_probs).sum(axis=1).mean()
    assert trainer.evaluate(INPUTS, TARGETS, verbose=0) == pytest.approx(expected, rel=1e-5)


def moved(**options):
    """By how much training moves what hard attention scores with, over three batches."""
    trainer = make_trainer(HARD, **options)
    weights = trainer.model.get_layer("attention").mechanism.trainable_weights
    before = [np.asarray(weight) for weight in weights]
    for _ in range(3):  # the first batch sets the baseline
        trainer.train_on_batch(INPUTS, TARGETS)
    return sum(np.abs(np.asarray(w) - b).sum() for w, b in zip(weights, before, strict=True))


def test_only_the_reward_trains_hard_attention():
    assert moved(reward_weight=0.0) == 0
    assert moved(reward_weight=1.0) > 1e-4
