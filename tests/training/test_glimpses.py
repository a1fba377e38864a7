"""What hard looks add to the loss of classes."""

import keras
import numpy as np
import pytest
from rnnpipe.models.glimpses import build_cnn_classifier, build_glimpse_classifier

from rnnpipe.training.glimpses import GlimpseTrainer

IMAGES = np.random.default_rng(1).integers(0, 255, (6, 16, 16, 3), "uint8")
CLASSES = np.array([0, 1, 2, 0, 1, 2])
TINY = {"image_size": 16, "classes": 3, "patch": 4, "channels": [4], "units": 5}


def make_trainer(model, **options):
    trainer = GlimpseTrainer(model, **options)
    trainer.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return trainer


def make_reader(**options):
    keras.utils.set_random_seed(3)
    return build_glimpse_classifier(**TINY, glimpses=3, attention_units=4, **options)


def cross_entropy(model):
    log_probs = np.asarray(keras.ops.log_softmax(model(IMAGES)["logits"]))
    return -log_probs[np.arange(6), CLASSES].mean()


@pytest.mark.parametrize("model", ["soft", "hard", "cnn"])
def test_evaluation_is_by_the_classes_alone(model):
    keras.utils.set_random_seed(3)
    built = build_cnn_classifier(**TINY) if model == "cnn" else make_reader(hard=model == "hard")
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


def test_only_the_reward_teaches_where_to_look():
    options = {"hard": True, "expected_share": 0.0, "seed": 1}
    assert move(make_reader(**options), reward_weight=0.0) == 0
    assert move(make_reader(**options), reward_weight=1.0) > 1e-4


def test_entropy_spreads_the_looks():
    def entropy(model):
        probabilities = np.asarray(model(IMAGES)["probabilities"])
        return -(probabilities * np.log(probabilities)).sum(axis=(2, 3)).mean()

    found = {}
    for weight in (-5.0, 5.0):
        model = make_reader(hard=True, expected_share=0.0, seed=1)
        trainer = make_trainer(model, reward_weight=0.0, entropy_weight=weight)
        trainer.fit(IMAGES, CLASSES, epochs=20, verbose=0)
        found[weight] = entropy(model)
    assert found[5.0] > found[-5.0] + 0.05
