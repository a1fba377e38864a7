import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.models.vqa import VqaOptions, build_vqa_model
from rnnpipe.parts.attention import AdditiveAttentionOptions
from rnnpipe.parts.cells import LSTMOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.image_encoders import CNNOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.training.soft_targets import soft_cross_entropy

OPTIONS = VqaOptions(
    image_encoder=CNNOptions(patch=2, channels=(4, 6)),
    embedding=EmbeddingOptions(size=3, scale=1.0),
    question_encoder=RecurrenceOptions(cell=LSTMOptions(units=7)),
    fusion_units=5,
    attention=AdditiveAttentionOptions(units=6, glimpses=2, activation="relu"),
    hidden_units=8,
)


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    return {
        "image": rng.integers(0, 256, (3, 16, 16, 3)).astype("uint8"),
        "image_index": np.array([0, 1, 2], "int32"),
        "question": np.array([[4, 5, 6, 0, 0], [7, 0, 0, 0, 0], [4, 5, 6, 7, 8]], "int32"),
    }


def make_model():
    keras.utils.set_random_seed(1)
    return build_vqa_model(OPTIONS, image_shape=(16, 16, 3), vocab=12, answers=5)


def test_outputs_have_the_documented_shapes_and_alignments_sum_to_one(inputs):
    output = make_model()(inputs)
    assert output["logits"].shape == (3, 5)
    assert output["alignments"].shape == (3, 2, 4, 4)
    np.testing.assert_allclose(np.sum(output["alignments"], axis=(2, 3)), 1, rtol=1e-5)


def test_padding_of_the_question_changes_nothing(inputs):
    model = make_model()
    alone = {
        "image": inputs["image"][:1],
        "image_index": inputs["image_index"][:1],
        "question": inputs["question"][:1, :3],
    }
    for name, value in model(alone).items():
        np.testing.assert_allclose(value[0], model(inputs)[name][0], rtol=1e-5, atol=1e-6)


def test_questions_about_one_image_share_its_grid(inputs):
    model = make_model()
    shared = {**inputs, "image": inputs["image"][:2], "image_index": np.array([1, 0, 1])}
    apart = {**inputs, "image": inputs["image"][[1, 0, 1]]}
    for name, value in model(shared).items():
        np.testing.assert_allclose(value, model(apart)[name], rtol=1e-5, atol=1e-6)


def test_first_loss_is_about_the_logarithm_of_the_number_of_answers(inputs):
    targets = np.eye(5, dtype="float32")[:3]
    loss = np.mean(soft_cross_entropy(targets, make_model()(inputs)["logits"]))
    assert abs(loss - np.log(5)) < 0.7


def test_every_weight_learns(inputs):
    model = make_model()
    before = [weight.numpy() for weight in model.trainable_weights]
    trainer = keras.Model(model.input, model.output["logits"])
    trainer.compile("adam", loss=soft_cross_entropy)
    trainer.train_on_batch(inputs, np.eye(5, dtype="float32")[:3])
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(weight.numpy(), old), weight.path


def test_one_batch_is_memorised(inputs):
    model = make_model()
    trainer = keras.Model(model.input, model.output["logits"])
    trainer.compile(keras.optimizers.Adam(0.02), loss=soft_cross_entropy)
    targets = np.eye(5, dtype="float32")[[1, 3, 0]]
    for _ in range(60):
        trainer.train_on_batch(inputs, targets)
    logits = trainer(inputs, training=True)  # batch statistics: three images are few for others
    assert np.argmax(logits, axis=1).tolist() == [1, 3, 0]


def test_a_saved_model_loads_in_another_process_without_custom_objects(inputs, predict_elsewhere):
    model = make_model()
    expected = keras.tree.flatten(model(inputs))
    for one, other in zip(predict_elsewhere(model, inputs), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_it_runs_on_any_batch_and_length():
    model = make_model()
    call = tf.function(model, reduce_retracing=True)
    for batch, time in ((1, 1), (2, 9)):
        question = tf.ones((batch, time), tf.int32)
        image = tf.zeros((batch, 16, 16, 3), tf.uint8)
        inputs = {"image": image, "image_index": tf.range(batch), "question": question}
        assert call(inputs)["logits"].shape == (batch, 5)
