"""Every encoder of images with every attention over a grid, in every model that has both."""

from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.models.captioner import CaptionerOptions, build_captioner
from rnnpipe.models.vqa import VqaOptions, build_vqa_model
from rnnpipe.parts.attention import AttentionOptions
from rnnpipe.parts.image_encoders import ImageEncoderOptions
from rnnpipe.training.alignments import AlignmentTrainer
from rnnpipe.training.answers import AnswerTrainer
from rnnpipe.training.soft_targets import soft_cross_entropy
from rnnpipe.training.token_targets import TokenCrossEntropy

SIZE, VOCAB, ANSWERS = 32, 11, 5
GRID_SHAPE = (2, 2, 7)  # of stored features
CHANNELS, FUSION = 6, 4  # of every grid but a backbone's; of what VQA appends to it

ADDITIVE = {"kind": "additive", "units": 5}
ATTENTIONS = {
    "additive": ADDITIVE,
    "coverage": {"kind": "coverage", "units": 5},
    "location": {"kind": "location", "units": 5, "filters": 2, "kernel_size": 3},
    "dot": {"kind": "dot", "scale": "sqrt"},
    "general": {"kind": "general", "glimpses": 2},
    "multi_head": {"kind": "multi_head", "num_heads": 2, "key_dim": 3},
    "gated": {"kind": "gated", "mechanism": ADDITIVE},
    "hard": {"kind": "hard", "mechanism": ADDITIVE},
}
ALONG_SEQUENCES = {
    "local": {"kind": "local", "mechanism": {"kind": "general"}},
    "monotonic": {"kind": "monotonic", "mechanism": ADDITIVE},
}
ENCODERS: dict[str, dict[str, Any]] = {
    "cnn": {"kind": "cnn", "patch": 8, "channels": [CHANNELS - 2, CHANNELS - 2]},
    "features": {"kind": "features", "units": CHANNELS},
    "application": {
        "kind": "backbone",
        "backbone": {"kind": "application", "name": "MobileNet", "weights": "none"},
    },
    "saved": {"kind": "backbone", "fine_tune": True},
}


def test_all_kinds_are_listed():
    assert {*ATTENTIONS, *ALONG_SEQUENCES} == set(AttentionOptions.kinds.load())
    assert {options["kind"] for options in ENCODERS.values()} == set(
        ImageEncoderOptions.kinds.load()
    )


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """A saved network of 8 x 8 patches."""
    path = tmp_path_factory.mktemp("backbone") / "network.keras"
    pixels = keras.Input((None, None, 3))
    keras.Model(pixels, keras.layers.Conv2D(CHANNELS, 8, strides=8)(pixels)).save(path)
    return {"kind": "saved", "path": str(path), "preparation": "tf"}


def read_images(encoder):
    rng = np.random.default_rng(0)
    if encoder["kind"] == "features":
        return rng.normal(size=(2, *GRID_SHAPE)).astype("float32")
    return rng.integers(0, 256, (2, SIZE, SIZE, 3), "uint8")


def train(trainer, inputs, targets):
    """Two steps of training; the loss stays a number, and the model's weights move."""
    trainer.compile(keras.optimizers.Adam(0.01), **targets["compile"], run_eagerly=True)
    before = [np.array(weight) for weight in trainer.trainable_weights]
    losses = [trainer.train_on_batch(inputs, targets["y"]) for _ in range(2)]
    assert np.isfinite(losses).all()
    after = trainer.trainable_weights
    assert any((np.array(w) != b).any() for w, b in zip(after, before, strict=True))


def train_vqa(encoder, attention, units=CHANNELS + FUSION):
    settings = {
        "image_encoder": encoder,
        "embedding": {"size": 3},
        "question_encoder": {"cell": {"kind": "gru", "units": units}},
        "fusion_units": FUSION,
        "attention": attention,
        "hidden_units": 5,
    }
    images = read_images(encoder)
    model = build_vqa_model(
        load_settings(VqaOptions, settings),
        image_shape=images.shape[1:],
        vocab=VOCAB,
        answers=ANSWERS,
    )
    inputs = {
        "image": images,
        "image_index": np.array([0, 1, 1]),
        "question": np.array([[4, 5, 6], [7, 0, 0], [8, 9, 0]]),
    }
    outputs = model(inputs)
    assert outputs["logits"].shape == (3, ANSWERS)
    assert len(outputs["alignments"].shape) == 4  # (batch, glimpses, rows, columns)
    np.testing.assert_allclose(np.sum(outputs["alignments"], axis=(2, 3)), 1, rtol=1e-5)
    y = np.eye(ANSWERS, dtype="float32")[:3]
    train(AnswerTrainer(model), inputs, {"y": y, "compile": {"loss": soft_cross_entropy}})


def train_captioner(encoder, attention, units=CHANNELS, **decoder):
    settings = {
        "image_encoder": encoder,
        "embedding": {"size": 3},
        "decoder": {"cell": {"kind": "gru", "units": units}, "attention": attention, **decoder},
    }
    images = read_images(encoder)
    model = build_captioner(
        load_settings(CaptionerOptions, settings), vocab=VOCAB, image_shape=images.shape[1:]
    )
    caption = np.array([[2, 4, 5, 6], [2, 7, 0, 0], [2, 8, 9, 0]])
    y = np.array([[4, 5, 6, 3], [7, 3, 0, 0], [8, 9, 3, 0]])
    inputs = {"image": images, "image_index": np.array([0, 1, 1]), "caption": caption}
    outputs = model(inputs)
    assert outputs["logits"].shape == (3, 4, VOCAB)
    assert len(outputs["alignments"].shape) == 4  # (batch, time, rows, columns)
    trainer = AlignmentTrainer(model, doubly_stochastic=1.0, entropy_weight=0.01)
    train(trainer, inputs, {"y": y, "compile": {"loss": TokenCrossEntropy(0.0)}})


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # of hard attention's query
@pytest.mark.parametrize("name", ATTENTIONS)
def test_every_attention_over_a_grid_trains(name):
    train_vqa(ENCODERS["cnn"], ATTENTIONS[name])
    train_captioner(ENCODERS["cnn"], ATTENTIONS[name])


@pytest.mark.parametrize("name", ENCODERS)
def test_every_image_encoder_trains(name, backbone):
    encoder = ENCODERS[name]
    if name == "saved":
        encoder = {**encoder, "backbone": backbone}
    train_vqa(encoder, ADDITIVE)
    train_captioner(encoder, ADDITIVE)


@pytest.mark.parametrize("name", ALONG_SEQUENCES)
@pytest.mark.parametrize("wrapped", [False, True])
def test_attention_along_a_sequence_reads_no_grid(name, wrapped):
    attention = ALONG_SEQUENCES[name]
    if wrapped:
        attention = {"kind": "gated", "mechanism": attention}
    for model, settings in (
        (VqaOptions, {"attention": attention}),
        (CaptionerOptions, {"decoder": {"attention": attention}}),
    ):
        with pytest.raises(UserError, match=r"attention.kind: expected an attention that reads"):
            load_settings(model, settings)


def test_dot_attention_compares_equally_many_features():
    message = "DotAttention .*: expected as many features in the query as in the memory"
    with pytest.raises(UserError, match=message):
        train_vqa(ENCODERS["cnn"], ATTENTIONS["dot"], units=3)
    with pytest.raises(UserError, match=message):
        train_captioner(ENCODERS["cnn"], ATTENTIONS["dot"], units=3)
