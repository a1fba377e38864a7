"""Captioners against NumPy, their own steps, padding and files."""

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.decoding import beam_search, greedy_search
from rnnpipe.errors import UserError
from rnnpipe.models.captioner import CaptionerOptions, begin_captioning, build_captioner
from tests.layers import reference
from tests.models.caption_decoders import DECODERS, UNITS, caption_options

VOCAB, EMBEDDING = 11, 5
CAPTIONS = np.array([[2, 4, 5, 6], [2, 7, 0, 0], [2, 8, 9, 0]])
TARGETS = np.array([[4, 5, 6, 3], [7, 3, 0, 0], [8, 9, 3, 0]])
every_kind = pytest.mark.parametrize("kind", DECODERS)


def make_model(kind, **decoder):
    keras.utils.set_random_seed(5)
    options = caption_options(kind, {"kind": "features", "units": 4}, **decoder)
    return build_captioner(options, vocab=VOCAB, image_shape=(2, 3, 8))


@pytest.fixture
def inputs():
    image = np.random.default_rng(1).normal(size=(3, 2, 3, 8)).astype("float32")
    return {"image": image, "image_index": np.arange(3), "caption": CAPTIONS}


def peaked(model):
    """The model with logits far enough apart that rounding chooses no other word."""
    names = [layer.name for layer in model.layers]
    layer = model.get_layer("decoder").to_logits if "decoder" in names else model.layers[-1]
    layer.set_weights([8 * weight for weight in layer.get_weights()])
    return model


@every_kind
def test_padding_and_the_other_captions_change_nothing(kind, inputs):
    model = make_model(kind)
    together = model(inputs)
    alone = {
        "image": inputs["image"][1:2],
        "image_index": np.zeros(1, "int32"),
        "caption": CAPTIONS[1:2, :2],
    }
    for name, found in model(alone).items():
        np.testing.assert_allclose(together[name][1:2, :2], found, atol=1e-6)
    if kind != "show_and_tell":
        np.testing.assert_allclose(np.sum(together["alignments"], axis=(2, 3)), 1, rtol=1e-5)


@every_kind
def test_captions_about_one_image_share_its_grid(kind, inputs):
    model = make_model(kind)
    shared = {**inputs, "image": inputs["image"][:2], "image_index": np.array([1, 0, 1])}
    apart = {**inputs, "image": inputs["image"][[1, 0, 1]]}
    for name, found in model(shared).items():
        np.testing.assert_allclose(found, model(apart)[name], atol=1e-6)


@every_kind
def test_decoding_step_by_step_equals_teacher_forcing(kind, inputs):
    model = peaked(make_model(kind))
    decoded = greedy_search(*begin_captioning(model, inputs["image"]), max_length=6)
    ids = np.asarray(decoded.ids)[:, 0]
    caption = np.concatenate([np.full((3, 1), 2), ids[:, :-1]], axis=1)
    found = model({**inputs, "caption": caption})
    log_probs = np.asarray(keras.ops.log_softmax(found["logits"]))
    for row, length in enumerate(np.asarray(decoded.lengths)[:, 0]):
        said = log_probs[row, :length]
        assert said.argmax(axis=-1).tolist() == ids[row, :length].tolist()
        score = said[np.arange(length), ids[row, :length]].sum()
        np.testing.assert_allclose(np.asarray(decoded.scores)[row, 0], score, rtol=1e-4)
        if kind != "show_and_tell":
            np.testing.assert_allclose(
                np.asarray(decoded.alignments)[row, 0, :length],
                np.asarray(found["alignments"])[row, :length],
                atol=1e-5,
            )


@every_kind
def test_a_saved_model_has_the_same_outputs_and_decodings(kind, inputs, tmp_path):
    model = peaked(make_model(kind, dropout=0.3))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for name, found in model(inputs).items():
        np.testing.assert_allclose(loaded(inputs)[name], found, atol=1e-6)
    for width in (None, 3):
        first, second = (
            beam_search(
                *begin_captioning(each, inputs["image"], beam_width=width),
                beam_width=3,
                max_length=5,
            )
            for each in (model, loaded)
        )
        np.testing.assert_array_equal(first.ids, second.ids)


def test_show_and_tell_equals_the_oracle(inputs):
    model = make_model("show_and_tell")
    drawn = np.random.default_rng(2).uniform(0.5, 2, size=(4, EMBEDDING))
    model.get_layer("image_norm").set_weights(drawn)
    scale, shift, mean, variance = drawn
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    features = inputs["image"] @ weights["image_encoder"][0] + weights["image_encoder"][1]
    vectors = np.maximum(features, 0).mean(axis=(1, 2))
    kernel, bias = weights["logits"]
    for row, vector in enumerate(vectors):
        words = weights["embedding"][0][CAPTIONS[row]]
        image_word = vector @ weights["image_word"][0] + weights["image_word"][1]
        image_word = scale * (image_word - mean) / np.sqrt(variance + 1e-3) + shift
        read = [image_word, *words]
        h = c = np.zeros(UNITS)
        for t, word in enumerate(read):
            _, h, c = reference.lstm(word[None], weights["recurrence"], [0], h, c)
            if t:
                said = np.asarray(model(inputs)["logits"])[row, t - 1]
                np.testing.assert_allclose(said, h @ kernel + bias, atol=1e-5)


def test_show_attend_and_tell_equals_the_oracle(inputs):
    model = make_model("soft")
    found = model(inputs)
    decoder, bridge = model.get_layer("decoder"), model.get_layer("bridge").get_weights()
    kernel, bias = model.get_layer("image_encoder").get_weights()
    grids = np.maximum(inputs["image"] @ kernel + bias, 0).reshape(3, 6, 4)
    gate, gate_bias, *scores = decoder.cell.attention.get_weights()
    deep, deep_bias = decoder.cell.readout.get_weights()
    (words,), cell = decoder.embedding.get_weights(), decoder.cell.cells[0].get_weights()
    kernel, bias = decoder.to_logits.get_weights()
    for row, grid in enumerate(grids):
        h, c = (np.tanh(grid.mean(axis=0) @ bridge[k] + bridge[k + 1]) for k in (0, 2))
        for t, token in enumerate(CAPTIONS[row]):
            context, alignment = reference.additive_attention(h, list(grid), scores)
            context = context * reference.sigmoid(h @ gate + gate_bias)
            read = np.concatenate([words[token], context])
            _, h, c = reference.lstm(read[None], cell, [0], h, c)
            said = np.tanh(np.concatenate([h, context, words[token]]) @ deep + deep_bias)
            np.testing.assert_allclose(found["logits"][row, t], said @ kernel + bias, atol=1e-5)
            looked = np.reshape(found["alignments"][row, t], -1)
            np.testing.assert_allclose(looked, np.reshape(alignment, -1), atol=1e-5)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # of what hard attention asks with
def test_every_weight_of_every_captioner_learns():
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype("uint8")
    inputs = {"image": images, "image_index": np.arange(3), "caption": CAPTIONS}
    for kind in DECODERS:
        keras.utils.set_random_seed(1)
        options = caption_options(kind, {"kind": "cnn", "channels": [4, 4]})
        model = build_captioner(options, vocab=VOCAB, image_shape=(16, 16, 3))
        before = [weight.numpy() for weight in model.trainable_weights]
        trainer = keras.Model(model.input, model.output["logits"])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        trainer.compile(keras.optimizers.Adam(0.01), loss, run_eagerly=True)  # one step
        trainer.train_on_batch(inputs, TARGETS)
        still = [
            weight.path
            for weight, old in zip(model.trainable_weights, before, strict=True)
            if np.array_equal(weight.numpy(), old)
        ]
        # What chooses where hard attention looks learns by its reward, not by the loss.
        assert bool(still) == (kind == "hard"), (kind, still)
        assert all("attention" in path for path in still)


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        (
            {"attention": {"kind": "monotonic"}},
            "decoder.attention.kind: expected an attention",
        ),
        ({"attention": {"kind": "local"}}, "decoder.attention.kind: expected an attention"),
        (
            {"attention": {"kind": "gated", "mechanism": {"kind": "local"}}},
            "decoder.attention.kind: expected an attention that reads grids, got gated",
        ),
        (
            {"attention": None, "scheduled_sampling": {"kind": "linear"}},
            "decoder.scheduled_sampling: expected null without attention",
        ),
        ({"attention": None, "tie_weights": True}, "decoder.tie_weights: expected false without"),
        (
            {"attention": None, "cell": {"kind": "att2in"}},
            "decoder.cell.kind: expected another kind without bahdanau",
        ),
    ],
)
def test_decoders_that_cannot_read_an_image_are_refused(decoder, message):
    with pytest.raises(UserError) as fault:
        load_settings(CaptionerOptions, {"decoder": decoder})
    assert message in str(fault.value)
