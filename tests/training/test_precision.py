"""Training in half precision: full precision afterwards, and the loss scale."""

import keras
import numpy as np
import pytest

from rnnpipe.layers import GRU, AdditiveAttention, AttentionDecoder, GRUCell, RecurrentStack
from rnnpipe.parts.optimizers import AdamOptions, SGDOptions
from rnnpipe.training.precision import save_in_full_precision, training_in
from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy
from rnnpipe.training.trainer import Trainer


def make_model():
    """A model with layers within layers, and one that computes in float32 anyway."""
    source = keras.Input((None,), dtype="int32")
    target = keras.Input((None,), dtype="int32")
    words = keras.layers.Embedding(9, 4)(source)
    layer = GRU(4, return_sequences=True, return_state=True)
    memory, *_ = RecurrentStack(layer, depth=2)(words)
    logits, _ = AttentionDecoder(9, 4, GRUCell(4), AdditiveAttention(3))(target, memory)
    exact = keras.layers.Activation("linear", dtype="float32")(logits)
    return keras.Model([source, target], exact)


def make_batch(rows=8):
    tokens = np.random.default_rng(2).integers(1, 9, (rows, 6))
    return [tokens, np.concatenate([np.full((rows, 1), 2), tokens[:, :-1]], axis=1)], tokens


def make_trainer(optimizer):
    trainer = Trainer(make_model())
    trainer.compile(optimizer, loss=TokenCrossEntropy(), metrics=[Perplexity()])
    return trainer


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_saved_models_compute_in_float32_and_have_the_weights(tmp_path, precision):
    with training_in(precision):
        model = make_model()
    save_in_full_precision(model, tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert {layer.compute_dtype for layer in loaded._flatten_layers()} == {"float32"}
    full = make_model()
    full.set_weights(model.get_weights())
    inputs, _ = make_batch()
    np.testing.assert_array_equal(loaded(inputs), full(inputs))
    assert not np.array_equal(loaded(inputs), model(inputs))


def test_the_policy_is_as_before_also_after_an_error():
    def fail():
        with training_in("float16"):
            assert keras.config.dtype_policy().name == "mixed_float16"
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert keras.config.dtype_policy().name == "float32"


def test_losses_and_metrics_are_float32():
    with training_in("bfloat16"):
        trainer = make_trainer("adam")
    inputs, _ = make_batch()
    assert trainer(inputs).dtype == "float32"
    assert {metric.dtype for metric in trainer.metrics} == {"float32"}
    assert {weight.dtype for weight in trainer.trainable_variables} == {"float32"}
    assert {v.dtype for v in trainer.optimizer.variables} <= {"float32", "int64"}


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_model_learns(precision):
    with training_in(precision):
        keras.utils.set_random_seed(1)
        trainer = make_trainer(AdamOptions(learning_rate=0.05).make(steps=60))
    inputs, targets = make_batch()
    losses = [float(trainer.train_on_batch(inputs, targets)[0]) for _ in range(60)]
    assert losses[0] == pytest.approx(np.log(9), abs=0.3)
    assert losses[-1] < 0.8


def test_the_scaled_loss_recovers_from_an_overflow():
    with training_in("float16"):
        trainer = make_trainer(SGDOptions(learning_rate=0.1).make(steps=1))
    optimizer, (inputs, targets) = trainer.optimizer, make_batch()
    trainer.train_on_batch(inputs, targets)
    optimizer.dynamic_scale.assign(2.0**60)
    before, steps = trainer.get_weights(), int(optimizer.iterations)
    loss = trainer.train_on_batch(inputs, targets)[0]
    assert np.isfinite(loss)
    assert float(optimizer.dynamic_scale) == 2.0**59
    assert int(optimizer.iterations) == steps  # no step was taken
    for weight, same in zip(trainer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)
    for _ in range(60):
        trainer.train_on_batch(inputs, targets)
    assert float(optimizer.dynamic_scale) < 2.0**30
    assert int(optimizer.iterations) > steps
    assert all(np.all(np.isfinite(weight)) for weight in trainer.get_weights())


def test_a_scaled_optimizer_is_built_once():
    with training_in("float16"):
        optimizer = make_trainer(SGDOptions().make(steps=1)).optimizer
    weights = [keras.Variable(np.ones(3))]
    optimizer.build(weights)
    variables = optimizer.variables
    optimizer.build(weights)
    assert [id(each) for each in optimizer.variables] == [id(each) for each in variables]
