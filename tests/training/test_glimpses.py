"""What hard looks add to the loss of classes."""

import keras
import numpy as np
import pytest

from rnnpipe.models.image_classifier import (
    GlimpseReaderOptions,
    ImageClassifierOptions,
    build_image_classifier,
    build_pooling_classifier,
)
from rnnpipe.parts.attention import AdditiveAttentionOptions, AttentionOptions
from rnnpipe.parts.attention_wrappers import HardAttentionOptions
from rnnpipe.parts.cells import LSTMOptions
from rnnpipe.parts.image_encoders import CNNOptions
from rnnpipe.training.glimpses import GlimpseTrainer

IMAGES = np.random.default_rng(1).integers(0, 255, (6, 16, 16, 3), "uint8")
CLASSES = np.array([0, 1, 2, 0, 1, 2])
TINY = {"image_shape": (16, 16, 3), "classes": 3}
SOFT = AdditiveAttentionOptions(units=4)


def make_options(attention=SOFT):
    reader = GlimpseReaderOptions(cell=LSTMOptions(units=5), attention=attention, steps=3)
    return ImageClassifierOptions(image_encoder=CNNOptions(channels=(4,)), reader=reader)


def make_trainer(model, **options):
    trainer = GlimpseTrainer(model, **options)
    trainer.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return trainer


def make_reader(expected_share=None):
    """A reader with soft attention, or with hard attention of a share."""
    keras.utils.set_random_seed(3)
    attention: AttentionOptions = SOFT
    if expected_share is not None:
        attention = HardAttentionOptions(mechanism=SOFT, expected_share=expected_share)
    return build_image_classifier(make_options(attention), **TINY, seed=1)


def cross_entropy(model):
    log_probs = np.asarray(keras.ops.log_softmax(model(IMAGES)["logits"]))
    return -log_probs[np.arange(6), CLASSES].mean()


@pytest.mark.parametrize(
    "build",
    [
        make_reader,
        lambda: make_reader(expected_share=0.5),
        lambda: build_pooling_classifier(make_options(), **TINY),
    ],
    ids=["soft", "hard", "pooling"],
)
def test_evaluation_is_by_the_classes_alone(build):
    keras.utils.set_random_seed(3)
    built = build()
    found = make_trainer(built).evaluate(IMAGES, CLASSES, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(cross_entropy(built), rel=1e-5)
    said = np.asarray(built(IMAGES)["logits"]).argmax(axis=1)
    assert found["accuracy"] == pytest.approx(np.mean(said == CLASSES))


def move(model, **options):
    """By how much training moves what hard attention scores with, over three batches."""
    weights = model.get_layer("reader").cell.attention.mechanism.trainable_weights
    before = [np.asarray(weight) for weight in weights]
    trainer = make_trainer(model, **options)
    for _ in range(3):  # the first batch sets the baseline
        trainer.train_on_batch(IMAGES, CLASSES)
    return sum(np.abs(np.asarray(w) - b).sum() for w, b in zip(weights, before, strict=True))


def test_only_the_reward_trains_hard_attention():
    assert move(make_reader(expected_share=0.0), reward_weight=0.0) == 0
    assert move(make_reader(expected_share=0.0), reward_weight=1.0) > 1e-4


def test_entropy_spreads_the_samples():
    def entropy(model):
        probabilities = np.asarray(model(IMAGES)["probabilities"])
        return -(probabilities * np.log(probabilities)).sum(axis=(2, 3)).mean()

    found = {}
    for weight in (-5.0, 5.0):
        model = make_reader(expected_share=0.0)
        trainer = make_trainer(model, reward_weight=0.0, entropy_weight=weight)
        trainer.fit(IMAGES, CLASSES, epochs=20, verbose=0)
        found[weight] = entropy(model)
    assert found[5.0] > found[-5.0] + 0.05
