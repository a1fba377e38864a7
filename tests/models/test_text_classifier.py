import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.models.text_classifier import (
    TextClassifierOptions,
    build_text_classifier,
)
from rnnpipe.parts.cells import CellOptions

# Large enough embeddings that every text gets logits of its own.
SMALL = {
    "embedding": {"size": 5, "scale": 1.0},
    "recurrence": {"cell": {"units": 4}},
    "pooling": {"kind": "attention", "units": 6},
}
DROPOUT = {
    "words": {"embedding": {**SMALL["embedding"], "word_dropout": 0.5}},
    "embedding": {"embedding": {**SMALL["embedding"], "dropout": 0.5}},
    "layers": {"recurrence": {"cell": {"units": 4}, "depth": 2, "dropout": 0.5}},
    "attention": {"pooling": {**SMALL["pooling"], "dropout": 0.5}},
    "classifier": {"dropout": 0.5},
}
TOKENS = np.array([[4, 5, 6, 0, 0], [7, 0, 0, 0, 0], [4, 5, 11, 7, 8]], "int32")


def make_model(**options):
    keras.utils.set_random_seed(1)
    return make_another(**options)


def make_another(**options):
    settings = load_settings(TextClassifierOptions, {**SMALL, **options})
    return build_text_classifier(settings, vocab=12, classes=3)


def make_trainer(model, rate):
    trainer = keras.Model(model.input, model.output["logits"])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    trainer.compile(keras.optimizers.Adam(rate), loss=loss)
    return trainer


@pytest.mark.parametrize(
    ("layer", "pooling", "bidirectional"),
    [
        ("vanilla", "last", True),
        ("lstm", "last", False),
        ("lstm", "mean", False),
        ("gru", "max", True),
        ("lstm", "attention", True),
    ],
)
def test_padding_changes_nothing(layer, pooling, bidirectional):
    cell = {"kind": layer, "units": 4}
    recurrence = {"cell": cell, "bidirectional": bidirectional, "depth": 2}
    model = make_model(recurrence=recurrence, pooling={"kind": pooling})
    together = model(TOKENS)
    assert together["logits"].shape == (3, 3)
    for row, length in enumerate((3, 1, 5)):
        alone = model(TOKENS[row : row + 1, :length])
        np.testing.assert_allclose(
            alone["logits"][0], together["logits"][row], rtol=1e-5, atol=1e-6
        )
        if pooling != "last":
            found = np.asarray(together["alignments"])[row]
            np.testing.assert_allclose(alone["alignments"][0], found[:, :length], atol=1e-6)
            assert not found[:, length:].any()
            np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_the_last_state_has_no_alignments():
    assert set(make_model(pooling={"kind": "last"}).output) == {"logits"}


def test_words_are_pooled_beside_their_states():
    model = make_model(pooling={"kind": "max", "words": True})
    pooled = keras.Model(model.input, model.get_layer("pooling").output)(TOKENS)[0]
    assert pooled.shape == (3, 2 * 4 + 5)
    embedding = model.get_layer("embedding").get_weights()[0]
    for row, length in enumerate((3, 1, 5)):
        words = embedding[TOKENS[row, :length]]
        np.testing.assert_allclose(pooled[row, 8:], words.max(axis=0), rtol=1e-6)


def test_every_text_has_logits_of_its_own_that_depend_on_the_order():
    model = make_model()
    forwards, backwards = model(TOKENS)["logits"], model(TOKENS[:, ::-1].copy())["logits"]
    assert np.abs(forwards[0] - forwards[2]).max() > 1e-3
    assert np.abs(forwards[2] - backwards[2]).max() > 1e-3


def test_first_loss_is_about_the_logarithm_of_the_number_of_classes():
    logits = make_model(embedding={"size": 5, "scale": 0.1})(TOKENS)["logits"]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)(np.eye(3), logits)
    assert float(loss) == pytest.approx(np.log(3), abs=0.1)


def test_every_weight_learns():
    model = make_model(
        recurrence={"cell": {"units": 4}, "depth": 2, "connection": "highway"}, hidden_units=7
    )
    before = [weight.numpy() for weight in model.trainable_weights]
    make_trainer(model, 0.01).train_on_batch(TOKENS, np.eye(3))
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(weight.numpy(), old), weight.path


def test_dropout_of_each_kind_acts_in_training_alone():
    for kind, options in DROPOUT.items():
        model = make_model(**options)
        still = model(TOKENS)["logits"]
        np.testing.assert_array_equal(model(TOKENS)["logits"], still)
        assert np.abs(model(TOKENS, training=True)["logits"] - still).max() > 1e-4, kind


@pytest.mark.parametrize("pooling", ["last", "max"])
def test_one_batch_is_memorised(pooling):
    model = make_model(pooling={"kind": pooling})
    trainer = make_trainer(model, 0.05)
    for _ in range(40):
        trainer.train_on_batch(TOKENS, np.eye(3)[[2, 0, 1]])
    assert np.argmax(model(TOKENS)["logits"], axis=1).tolist() == [2, 0, 1]


def test_a_saved_model_loads_in_another_process_without_custom_objects(predict_elsewhere):
    model = make_model(
        embedding={"size": 5, "word_dropout": 0.1},
        recurrence={"cell": {"units": 4}, "depth": 2, "connection": "residual"},
        pooling={"kind": "attention", "glimpses": 2},
    )
    expected = keras.tree.flatten(model(TOKENS))
    for one, other in zip(predict_elsewhere(model, [TOKENS]), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_a_connection_needs_the_states_of_all_steps():
    recurrence = {"cell": {"units": 4}, "depth": 2, "connection": "residual"}
    with pytest.raises(UserError, match=r"pooling\.kind: expected another pooling with"):
        make_model(pooling={"kind": "last"}, recurrence=recurrence)


@pytest.mark.parametrize("cell", [kind for kind in CellOptions.kinds.load() if kind != "att2in"])
def test_every_cell_reads(cell):
    model = make_model(recurrence={"cell": {"kind": cell, "units": 4}})
    before = [weight.numpy() for weight in model.trainable_weights]
    make_trainer(model, 0.01).train_on_batch(TOKENS, np.eye(3))
    after = [weight.numpy() for weight in model.trainable_weights]
    assert all(np.isfinite(weight).all() for weight in after)
    assert any(not np.array_equal(*pair) for pair in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("options", "random"), [({}, False), *((options, True) for options in DROPOUT.values())]
)
def test_dropout_of_any_kind_makes_a_model_random(options, random):
    assert load_settings(TextClassifierOptions, {**SMALL, **options}).is_random == random
