from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.decoding import beam_search, greedy_search
from rnnpipe.errors import UserError
from rnnpipe.models.translator import TranslatorOptions, begin_translation, build_translator
from rnnpipe.training.token_targets import TokenCrossEntropy

SMALL = {
    "embedding": {"size": 6},
    "share_embedding": False,
    "encoder": {"cell": {"units": 5}},
    "decoder": {"cell": {"units": 8}, "attention": {"units": 7}, "tie_weights": False},
}
SHARED = {"share_embedding": True, "decoder": {**SMALL["decoder"], "tie_weights": True}}
SOURCE = np.array([[4, 5, 6, 7], [8, 9, 0, 0], [10, 4, 4, 0]])
TARGET = np.array([[2, 4, 5], [2, 6, 0], [2, 7, 8]])
SAYS = np.array([[4, 5, 3], [6, 3, 0], [7, 8, 3]])
DROPOUT: dict[str, dict[str, Any]] = {
    "embedding": {"embedding": {"size": 6, "dropout": 0.5}},
    "words": {"embedding": {"size": 6, "word_dropout": 0.5}},
    "memory": {"memory_dropout": 0.5},
    "layers": {"encoder": {"cell": {"units": 5}, "depth": 2, "dropout": 0.5}},
    "decoder": {"decoder": {**SMALL["decoder"], "dropout": 0.5}},
}


def make_model(options=MappingProxyType({}), source_vocab=11, target_vocab=11):
    keras.utils.set_random_seed(5)
    settings = load_settings(TranslatorOptions, {**SMALL, **options})
    return build_translator(settings, source_vocab=source_vocab, target_vocab=target_vocab)


@pytest.mark.parametrize(
    "options",
    [
        {},
        SHARED,
        {
            "encoder": {"cell": {"kind": "lstm", "units": 5}, "depth": 2},
            "decoder": {**SMALL["decoder"], "cell": {"kind": "lstm", "units": 8}, "depth": 2},
        },
        {"decoder": {**SMALL["decoder"], "input_feeding": False, "output": "maxout"}},
    ],
)
def test_padding_of_either_side_changes_nothing(options):
    model = make_model(options)
    together = model({"source": SOURCE, "target": TARGET})
    alone = model({"source": SOURCE[1:2, :2], "target": TARGET[1:2, :2]})
    for name, slices in {"logits": np.s_[1:2, :2], "alignments": np.s_[1:2, :2, :2]}.items():
        np.testing.assert_allclose(together[name][slices], alone[name], atol=1e-6)
    assert not np.asarray(together["alignments"])[1, :, 2:].any()
    np.testing.assert_allclose(np.asarray(together["alignments"]).sum(axis=-1), 1, rtol=1e-5)


def test_decoding_step_by_step_equals_teacher_forcing():
    model = make_model(SHARED)
    decoded = greedy_search(*begin_translation(model, SOURCE), max_length=5)
    ids = np.asarray(decoded.ids)[:, 0]
    target = np.concatenate([np.full((3, 1), 2), ids[:, :-1]], axis=1)
    found = model({"source": SOURCE, "target": target})
    said = np.asarray(found["logits"]).argmax(axis=-1)
    for row, length in enumerate(np.asarray(decoded.lengths)[:, 0]):
        assert said[row, :length].tolist() == ids[row, :length].tolist()
        np.testing.assert_allclose(
            np.asarray(decoded.alignments)[row, 0, :length, 0],
            np.asarray(found["alignments"])[row, :length],
            atol=1e-5,
        )


def test_one_embedding_for_all_is_one_after_loading_too(tmp_path):
    model = make_model({**SHARED, **DROPOUT["memory"], **DROPOUT["words"]})
    before = model({"source": SOURCE, "target": TARGET})
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(loaded.weights) == len(model.weights)
    after = loaded({"source": SOURCE, "target": TARGET})
    np.testing.assert_allclose(before["logits"], after["logits"], atol=1e-6)
    ids = [
        np.asarray(greedy_search(*begin_translation(m, SOURCE), max_length=4).ids)
        for m in (model, loaded)
    ]
    np.testing.assert_array_equal(*ids)


def test_first_loss_is_about_the_logarithm_of_the_vocabulary():
    model = make_model({**SHARED, "embedding": {"size": 32}}, 500, 500)
    logits = model({"source": SOURCE, "target": TARGET})["logits"]
    assert float(TokenCrossEntropy()(SAYS, logits)) == pytest.approx(np.log(500), rel=0.05)


def test_one_batch_is_memorised():
    model = make_model(SHARED)
    trainer = keras.Model(model.input, model.output["logits"])
    trainer.compile(keras.optimizers.Adam(0.03), loss=TokenCrossEntropy())
    inputs = {"source": SOURCE, "target": TARGET}
    trainer.fit(inputs, SAYS, epochs=60, verbose=0)
    assert trainer.evaluate(inputs, SAYS, verbose=0) < 0.05
    decoded = greedy_search(*begin_translation(model, SOURCE), max_length=3)
    np.testing.assert_array_equal(np.asarray(decoded.ids)[:, 0], SAYS)


@pytest.mark.parametrize("name", sorted(DROPOUT))
def test_each_dropout_acts_in_training_alone(name):
    model = make_model(DROPOUT[name])
    depth = DROPOUT[name].get("encoder", {}).get("depth", 1)
    plain = make_model({"encoder": {"cell": {"units": 5}, "depth": depth}})
    inputs = {"source": SOURCE, "target": TARGET}
    plain.set_weights(model.get_weights())
    still = np.asarray(model(inputs, training=False)["logits"])
    np.testing.assert_array_equal(still, np.asarray(plain(inputs)["logits"]))
    assert np.abs(still - np.asarray(model(inputs, training=True)["logits"])).max() > 1e-3


def test_one_embedding_needs_one_vocabulary():
    with pytest.raises(UserError, match=r"model\.share_embedding: expected one vocabulary"):
        make_model(SHARED, source_vocab=12)


@pytest.mark.parametrize("beam_width", [None, 3])
def test_hard_attention_decodes_with_its_samples(beam_width):
    attention = {"kind": "hard", "mechanism": {"kind": "additive", "units": 7}}
    model = make_model({"decoder": {**SMALL["decoder"], "attention": attention}})
    step, state = begin_translation(model, SOURCE, beam_width=beam_width)
    decoded = beam_search(step, state, beam_width=3, max_length=4)
    alignments = np.asarray(decoded.alignments)[:, 0]
    assert set(np.unique(alignments)) == {0.0, 1.0}


def test_parts_may_be_layers_of_ones_own():
    encoder = keras.layers.GRU(9, return_sequences=True, return_state=True, name="encoder")
    keras.utils.set_random_seed(5)
    settings = load_settings(TranslatorOptions, SMALL)
    model = build_translator(settings, source_vocab=11, target_vocab=11, encoder=encoder)
    assert model.get_layer("memory").output.shape == (None, None, 9)
    assert np.isfinite(model({"source": SOURCE, "target": TARGET})["logits"]).all()
