"""Reported losses are means over all terms, and do not depend on how these are batched."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.training.alignments import AlignmentTrainer
from rnnpipe.training.glimpses import GlimpseTrainer
from rnnpipe.training.labels import LabelCrossEntropy
from rnnpipe.training.r_drop import RDropTrainer
from rnnpipe.training.soft_targets import soft_cross_entropy
from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy
from rnnpipe.training.trainer import Trainer

VOCAB, TIME, ROWS = 7, 5, 13
RNG = np.random.default_rng(3)
LOGITS = RNG.normal(size=(ROWS, TIME, VOCAB)).astype("float32")
LENGTHS = RNG.integers(1, TIME + 1, ROWS)
TOKENS = np.where(
    np.arange(TIME) < LENGTHS[:, None], RNG.integers(1, VOCAB, (ROWS, TIME)), 0
).astype("int32")
CLIPS = np.where(RNG.random(ROWS) < 0.5, -1, RNG.integers(0, VOCAB, ROWS)).astype("int32")
CLASSES = RNG.integers(0, VOCAB, ROWS).astype("int32")
SHARES = RNG.dirichlet(np.ones(VOCAB), ROWS).astype("float32")


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


NATS = -np.take_along_axis(log_softmax(LOGITS), TOKENS[..., None], axis=-1)[..., 0]
BY_TOKEN = float(NATS[TOKENS != 0].mean())


def sequence_model(*names):
    logits = keras.Input((TIME, VOCAB), name="logits")
    outputs = {name: keras.layers.Identity(name=name)(logits) for name in names}
    return keras.Model(logits, outputs or logits)


def row_model():
    logits = keras.Input((TIME, VOCAB), name="logits")
    return keras.Model(logits, logits[:, 0])


def evaluated(trainer, targets, size, **options):
    trainer.compile("sgd", **options)
    batches = tf.data.Dataset.from_tensor_slices((LOGITS, targets)).batch(size)
    return trainer.evaluate(batches, verbose=0, return_dict=True)


SIZES = pytest.mark.parametrize("size", [1, 4, 12, ROWS])


@SIZES
@pytest.mark.parametrize("make", [lambda: Trainer(sequence_model())])
def test_the_loss_of_tokens_is_the_mean_over_all_of_them(make, size):
    found = evaluated(make(), TOKENS, size, loss=TokenCrossEntropy(), metrics=[Perplexity()])
    assert found["loss"] == pytest.approx(BY_TOKEN, rel=1e-5)
    assert np.log(found["perplexity"]) == pytest.approx(BY_TOKEN, rel=1e-5)


@SIZES
def test_the_attention_penalty_is_averaged_over_tokens(size):
    logits = keras.Input((TIME, VOCAB), name="logits")
    alignments = keras.ops.softmax(logits)
    model = keras.Model(logits, {"logits": logits, "alignments": alignments})
    trainer = AlignmentTrainer(model, doubly_stochastic=2.0)
    found = evaluated(trainer, TOKENS, size, loss=TokenCrossEntropy())
    looks = np.exp(log_softmax(LOGITS)) * (TOKENS != 0)[..., None]
    penalty = ((1 - looks.sum(axis=1)) ** 2).sum()
    expected = BY_TOKEN + 2.0 * penalty / np.count_nonzero(TOKENS)
    assert found["loss"] == pytest.approx(expected, rel=1e-4)


@SIZES
def test_the_loss_of_each_output_is_the_mean_over_its_known_labels(size):
    logits = keras.Input((TIME, VOCAB), name="logits")
    model = keras.Model(logits, {"frame": logits, "clip": logits[:, 0]})
    frames = np.where(TOKENS == 0, -1, TOKENS)
    found = evaluated(
        Trainer(model),
        {"frame": frames, "clip": CLIPS},
        size,
        loss={"frame": LabelCrossEntropy(), "clip": LabelCrossEntropy()},
        loss_weights={"frame": 1.0, "clip": 0.5},
    )
    known = np.flatnonzero(CLIPS >= 0)
    by_clip = -log_softmax(LOGITS[:, 0])[known, CLIPS[known]].mean()
    assert found["frame_loss"] == pytest.approx(BY_TOKEN, rel=1e-5)
    assert found["clip_loss"] == pytest.approx(by_clip, rel=1e-5)
    assert found["loss"] == pytest.approx(BY_TOKEN + 0.5 * by_clip, rel=1e-5)


@SIZES
@pytest.mark.parametrize(
    "make",
    [
        lambda: Trainer(row_model()),
        lambda: RDropTrainer(row_model(), weight=1.0),
        lambda: GlimpseTrainer(keras.Model((model := row_model()).input, {"logits": model.output})),
    ],
    ids=["plain", "r_drop", "glimpses"],
)
def test_the_loss_of_rows_is_the_mean_over_all_of_them(make, size):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    found = evaluated(make(), CLASSES, size, loss=loss)
    expected = -log_softmax(LOGITS[:, 0])[np.arange(ROWS), CLASSES].mean()
    assert found["loss"] == pytest.approx(expected, rel=1e-5)


@SIZES
def test_records_that_share_images_count_one_by_one(size):
    image, index = keras.Input((VOCAB,), name="image"), keras.Input((), name="image_index")
    logits = keras.ops.take(image, keras.ops.cast(index, "int32"), axis=0)
    trainer = Trainer(keras.Model({"image": image, "image_index": index}, logits))
    trainer.compile("sgd", loss=soft_cross_entropy)
    images = LOGITS[:, 0]

    def batches():  # every batch but the first has one image for all of its rows
        for start in range(0, ROWS, size):
            rows = np.arange(start, min(start + size, ROWS))
            shared = rows if start == 0 else rows[:1]
            inputs = {"image": images[shared], "image_index": np.searchsorted(shared, rows) * 1.0}
            if start:
                inputs["image_index"] *= 0
            yield inputs, SHARES[rows]

    seen = [(i["image"][i["image_index"].astype(int)], y) for i, y in batches()]
    expected = np.concatenate([-(y * log_softmax(x)).sum(axis=-1) for x, y in seen]).mean()
    spec = (
        {"image": tf.TensorSpec((None, VOCAB)), "image_index": tf.TensorSpec((None,))},
        tf.TensorSpec((None, VOCAB)),
    )
    data = tf.data.Dataset.from_generator(batches, output_signature=spec)
    steps = -(-ROWS // size)
    assert trainer.evaluate(data, steps=steps, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_training_reports_the_mean_and_its_gradients_are_those_of_the_loss():
    logits = keras.Input((TIME, VOCAB))
    dense = keras.layers.Dense(VOCAB, kernel_initializer="identity")
    model = keras.Model(logits, dense(logits))
    trainer = Trainer(model)
    trainer.compile(keras.optimizers.SGD(0.0), loss=TokenCrossEntropy())
    batches = tf.data.Dataset.from_tensor_slices((LOGITS, TOKENS)).batch(4)
    history = trainer.fit(batches, epochs=2, verbose=0, shuffle=False).history
    np.testing.assert_allclose(history["loss"], BY_TOKEN, rtol=1e-5)


def test_it_is_saved_with_its_model(tmp_path):
    trainer = Trainer(sequence_model())
    trainer.build()
    trainer.save(tmp_path / "trainer.keras")
    loaded = keras.models.load_model(tmp_path / "trainer.keras")
    np.testing.assert_array_equal(loaded(LOGITS), LOGITS)
