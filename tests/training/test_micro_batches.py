"""A batch in parts takes the step that the whole batch takes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.layers import GRU
from rnnpipe.models.language_model import LanguageModelOptions, build_language_model
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.parts.layer_groups import LayerGroups
from rnnpipe.parts.loss_scale import LossScaleOptions
from rnnpipe.parts.optimizers import AdamOptions, SGDOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.training.alignments import AlignmentTrainer
from rnnpipe.training.answers import AnswerTrainer
from rnnpipe.training.ctc import MeanCTCLoss
from rnnpipe.training.glimpses import GlimpseTrainer
from rnnpipe.training.guided_alignment import ALIGNMENT, GuidedAlignmentTrainer
from rnnpipe.training.labels import LabelAccuracy, LabelCrossEntropy
from rnnpipe.training.micro_batches import take_rows
from rnnpipe.training.r_drop import RDropTrainer
from rnnpipe.training.soft_targets import soft_cross_entropy
from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy
from rnnpipe.training.trainer import Trainer
from rnnpipe.training.truncated import TruncatedBPTT

ROWS, TIME, VOCAB = 7, 5, 6
RANDOM = np.random.default_rng(4)
# Of very different lengths, so that a mean over parts is not the mean over tokens.
TOKENS = np.array([[1, 2, 3, 4, 5], [3, 0, 0, 0, 0], [2, 5, 0, 0, 0]] * 3)[:ROWS]
CLASSES = np.array([0, 1, 2, 0, 2, 1, 1])
SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def text_model(outputs, *, embedding=False):
    """A model of tokens, with outputs of the states of each step."""
    keras.utils.set_random_seed(3)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    # Keras squares the sparse gradient of an embedding token by token, not its sum.
    table = keras.layers.Dense(4)
    words = (
        keras.layers.Embedding(VOCAB, 4)(tokens)
        if embedding
        else table(keras.ops.one_hot(tokens, VOCAB))
    )
    states = GRU(4, return_sequences=True)(words)
    return keras.Model({"tokens": tokens}, outputs(states))


def each(states):
    return keras.layers.Dense(VOCAB, name="each")(states)


def last(states):
    return keras.layers.Dense(3, name="last")(states[:, -1])


def aligned(states):
    scores = keras.layers.Dense(4, name="scores")(states)
    return {"logits": each(states), "alignments": keras.ops.softmax(scores)}


def shared_images():
    """A batch whose rows share three images, and a model of them."""
    keras.utils.set_random_seed(3)
    image, index = (
        keras.Input((4,), name="image"),
        keras.Input((), dtype="int32", name="image_index"),
    )
    taken = keras.ops.take(keras.layers.Dense(3)(image), index, axis=0)
    model = keras.Model({"image": image, "image_index": index}, {"logits": taken})
    inputs = {
        "image": np.sin(np.arange(12.0)).reshape(3, 4),
        "image_index": np.array([2, 0, 0, 1, 2, 2, 1]),
    }
    return AnswerTrainer(model), inputs, np.abs(LINKS[:, 0, :3]) + 0.1, {"loss": soft_cross_entropy}


def token_loss():
    return {"loss": TokenCrossEntropy(0.1), "metrics": [Perplexity()]}


LABELS = {
    "frame": np.where(TOKENS == 0, -1, TOKENS),
    "clip": np.array([-1, 1, -1, -1, -1, 0, 2]),
}
INPUTS = {"tokens": TOKENS}
LINKS = RANDOM.random((ROWS, TIME, 4)) * (RANDOM.random((ROWS, TIME, 1)) < 0.3)
CASES = {
    "tokens": lambda: (Trainer(text_model(each)), INPUTS, TOKENS, token_loss()),
    "classes": lambda: (Trainer(text_model(last)), INPUTS, CLASSES, {"loss": SPARSE}),
    "r_drop": lambda: (
        RDropTrainer(text_model(last), weight=2.0),
        {"tokens": np.concatenate([TOKENS, TOKENS[:, ::-1]])},
        np.tile(CLASSES, 2),
        {"loss": SPARSE},
    ),
    "glimpses": lambda: (
        GlimpseTrainer(text_model(lambda states: {"logits": last(states)})),
        INPUTS,
        CLASSES,
        {"loss": SPARSE},
    ),
    "alignments": lambda: (
        AlignmentTrainer(text_model(aligned), doubly_stochastic=2.0),
        INPUTS,
        TOKENS,
        token_loss(),
    ),
    "guided": lambda: (
        GuidedAlignmentTrainer(text_model(aligned), guided_alignment=2.0),
        {**INPUTS, ALIGNMENT: LINKS},
        TOKENS,
        token_loss(),
    ),
    "labels": lambda: (
        Trainer(text_model(lambda states: {"frame": each(states), "clip": last(states)})),
        INPUTS,
        LABELS,
        {
            "loss": {"frame": LabelCrossEntropy(), "clip": LabelCrossEntropy()},
            "loss_weights": {"frame": 1.0, "clip": 0.3},
            "metrics": {"frame": [LabelAccuracy()], "clip": [LabelAccuracy()]},
        },
    ),
    "ctc": lambda: (Trainer(text_model(each)), INPUTS, TOKENS[:, :2], {"loss": MeanCTCLoss()}),
    "shared images": shared_images,
}


def trained(make, parts, optimizer, steps=2, *, replicas=0):
    """The weights and the logs after some steps."""
    trainer, x, y, options = make()
    trainer.micro_batches, trainer.devices = parts, ["/CPU:0"] * replicas
    trainer.compile(optimizer(trainer), jit_compile=False, **options)
    logs = [trainer.train_on_batch(x, y, return_dict=True) for _ in range(steps)]
    return trainer.get_weights(), logs


def plain_sgd(trainer):
    del trainer
    return SGDOptions(learning_rate=0.5, clip_norm=None).make(steps=3)


def clipped_adam(trainer):
    del trainer
    return AdamOptions(learning_rate=0.05, clip_norm=0.2, ema=0.5, epsilon=1e-3).make(steps=3)


def assert_near(ours, theirs):
    for one, other in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    for one, other in zip(ours[1], theirs[1], strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_step_is_that_of_the_whole_batch(name):
    whole = trained(CASES[name], 1, clipped_adam)
    assert_near(trained(CASES[name], 3, clipped_adam), whole)


@pytest.mark.parametrize("name", CASES)
def test_the_step_on_several_devices_is_that_of_the_whole_batch(name):
    whole = trained(CASES[name], 1, clipped_adam)
    assert_near(trained(CASES[name], 1, clipped_adam, replicas=2), whole)


@pytest.mark.parametrize(("parts", "replicas"), [(2, 2), (1, 2), (1, 8), (3, 3)])
def test_parts_are_divided_between_devices(parts, replicas):
    whole = trained(CASES["labels"], 1, clipped_adam)
    assert_near(trained(CASES["labels"], parts, clipped_adam, replicas=replicas), whole)


def test_gradients_of_embeddings_are_summed():
    def make():
        return Trainer(text_model(each, embedding=True)), INPUTS, TOKENS, token_loss()

    assert_near(trained(make, 3, plain_sgd), trained(make, 1, plain_sgd))


def test_frames_are_those_of_the_rows_and_padding_stays():
    index = np.array([[0, 1, -1], [3, 2, 3], [4, -1, -1]], "int32")
    x = {"frames": tf.range(5) * 10, "frame_index": tf.constant(index)}
    taken = take_rows(x, 1, 3)
    np.testing.assert_array_equal(taken["frame_index"] < 0, index[1:] < 0)
    frames = tf.gather(taken["frames"], tf.maximum(taken["frame_index"], 0))
    np.testing.assert_array_equal(
        np.where(index[1:] < 0, -1, frames), np.where(index[1:] < 0, -1, index[1:] * 10)
    )
    assert set(taken["frames"].numpy()) == {30, 20, 40, 0}  # that of padding too


def test_a_batch_may_have_fewer_rows_than_parts():
    whole = trained(CASES["tokens"], 1, clipped_adam)
    assert_near(trained(CASES["tokens"], 20, clipped_adam), whole)


def test_groups_of_layers_and_a_scaled_loss_take_the_same_step():
    def optimizer(trainer):
        of = {id(v): int("each" in v.path) for v in trainer.trainable_variables}
        groups = LayerGroups([0.1, 1.0], lambda variable: of[id(variable)])
        options = AdamOptions(loss_scale=LossScaleOptions(initial_scale=8.0), epsilon=1e-3)
        optimizer = options.make(steps=3, groups=groups)
        optimizer.inner_optimizer.frozen = frozenset([0])
        return optimizer

    assert_near(trained(CASES["tokens"], 3, optimizer), trained(CASES["tokens"], 1, optimizer))


def test_a_mean_over_parts_would_be_another_step():
    trainer = Trainer(text_model(each))
    trainer.compile("sgd", **token_loss())
    halves = [trainer.test_on_batch({"tokens": TOKENS[r]}, TOKENS[r])[0] for r in ([0, 1], [2])]
    whole = trainer.test_on_batch({"tokens": TOKENS[:3]}, TOKENS[:3])[0]
    assert abs(np.mean(halves) - whole) > 1e-3


def test_states_are_carried_from_chunk_to_chunk():
    def make():
        keras.utils.set_random_seed(3)
        recurrence = RecurrenceOptions(cell=GRUOptions(units=4))
        model = build_language_model(LanguageModelOptions(recurrence=recurrence), vocab=VOCAB)
        starts = np.array([True, False] * 4)[:ROWS]
        x = {"tokens": np.where(TOKENS == 0, 1, TOKENS), "starts": starts}
        return TruncatedBPTT(model, ROWS), x, TOKENS, token_loss()

    # The weights are the carried states too.
    whole = trained(make, 1, plain_sgd, 3)
    assert_near(trained(make, 3, plain_sgd, 3), whole)
    assert_near(trained(make, 1, plain_sgd, 3, replicas=2), whole)
    assert_near(trained(make, 2, plain_sgd, 3, replicas=2), whole)
