"""Two passes through dropout that must agree."""

import keras
import numpy as np
import pytest

from rnnpipe.training.r_drop import RDropTrainer, repeat_batch, symmetric_kl

X = np.random.default_rng(3).normal(size=(5, 4)).astype("float32")
Y = np.array([0, 2, 1, 1, 0])


def make_trainer(dropout, weight=3.0):
    keras.utils.set_random_seed(4)
    given = keras.Input((4,))
    hidden = keras.layers.Dropout(dropout)(keras.layers.Dense(16, "tanh")(given))
    trainer = RDropTrainer(keras.Model(given, keras.layers.Dense(3)(hidden)), weight=weight)
    return compiled(trainer)


def compiled(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.5), loss, metrics=["accuracy"])
    return model


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def test_the_loss_equals_the_oracle():
    trainer = make_trainer(0.5)
    logits = np.random.default_rng(5).normal(size=(10, 3)).astype("float32")
    p, q = np.split(softmax(logits.astype("float64")), 2)
    kl = (p * np.log(p / q)).sum(axis=1) + (q * np.log(q / p)).sum(axis=1)
    cross_entropy = -np.log(softmax(logits)[np.arange(10), np.tile(Y, 2)]).mean()
    np.testing.assert_allclose(symmetric_kl(logits), kl.mean(), rtol=1e-5)
    both = np.tile(Y, 2)
    found = trainer.compute_loss(None, both, logits, training=True)
    np.testing.assert_allclose(found, cross_entropy + 3 / 4 * kl.mean(), rtol=1e-5)
    np.testing.assert_allclose(
        trainer.compute_loss(None, both, logits, training=False), cross_entropy, rtol=1e-5
    )


def test_r_drop_without_dropout_changes_nothing():
    plain, trainer = compiled(make_trainer(0.0).model), make_trainer(0.0)
    for _ in range(3):
        plain.train_on_batch(X, Y)
        trainer.train_on_batch(*repeat_batch((X, Y)))
    for one, other in zip(plain.get_weights(), trainer.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_r_drop_reduces_the_divergence_of_two_passes():
    def learn(weight):
        trainer = make_trainer(0.5, weight)
        for _ in range(30):
            trainer.train_on_batch(*repeat_batch((X, Y)))
        keras.utils.set_random_seed(1)
        return float(symmetric_kl(trainer(np.tile(X, (200, 1)), training=True)))

    assert learn(2.0) < 0.8 * learn(0.0)


def test_validation_batches_are_not_augmented():
    trainer = make_trainer(0.5)
    loss, accuracy = trainer.evaluate(X, Y, verbose=0)
    p = softmax(np.asarray(trainer(X)))
    np.testing.assert_allclose(loss, -np.log(p[np.arange(5), Y]).mean(), rtol=1e-5)
    assert accuracy == pytest.approx(np.mean(p.argmax(axis=1) == Y))


def test_it_is_saved_and_loaded(tmp_path):
    trainer = make_trainer(0.5)
    trainer.train_on_batch(*repeat_batch((X, Y)))
    trainer.save(tmp_path / "trainer.keras")
    loaded = keras.models.load_model(tmp_path / "trainer.keras")
    assert loaded.weight == trainer.weight
    np.testing.assert_array_equal(loaded(X), trainer(X))
