import keras
import numpy as np
import pytest

from rnnpipe.decoding import greedy_search
from rnnpipe.errors import UserError
from rnnpipe.models.translator import begin_translation, build_translator
from rnnpipe.training.token_targets import TokenCrossEntropy

SMALL = {
    "source_vocab": 11,
    "target_vocab": 11,
    "embedding": 6,
    "encoder_units": 5,
    "attention_units": 7,
    "decoder_units": 8,
}
SOURCE = np.array([[4, 5, 6, 7], [8, 9, 0, 0], [10, 4, 4, 0]])
TARGET = np.array([[2, 4, 5], [2, 6, 0], [2, 7, 8]])
SAYS = np.array([[4, 5, 3], [6, 3, 0], [7, 8, 3]])
DROPOUT = {
    "embedding_dropout": 0.2,
    "word_dropout": 0.2,
    "encoder_dropout": 0.2,
    "decoder_dropout": 0.2,
}


def make_model(**options):
    keras.utils.set_random_seed(5)
    return build_translator(**{**SMALL, **options})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"share_embedding": True, "tie_weights": True},
        {"encoder": "lstm", "decoder": "lstm", "encoder_depth": 2, "decoder_depth": 2},
        {"input_feeding": False, "output": "maxout"},
    ],
)
def test_padding_of_either_side_changes_nothing(options):
    model = make_model(**options)
    together = model({"source": SOURCE, "target": TARGET})
    alone = model({"source": SOURCE[1:2, :2], "target": TARGET[1:2, :2]})
    for name, slices in {"logits": np.s_[1:2, :2], "alignments": np.s_[1:2, :2, :2]}.items():
        np.testing.assert_allclose(together[name][slices], alone[name], atol=1e-6)
    assert not np.asarray(together["alignments"])[1, :, 2:].any()
    np.testing.assert_allclose(np.asarray(together["alignments"]).sum(axis=-1), 1, rtol=1e-5)


def test_decoding_step_by_step_says_what_the_model_says_of_the_same_words():
    model = make_model(share_embedding=True, tie_weights=True)
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
    model = make_model(share_embedding=True, tie_weights=True, **DROPOUT)
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
    model = make_model(source_vocab=500, target_vocab=500, embedding=32, tie_weights=True)
    logits = model({"source": SOURCE, "target": TARGET})["logits"]
    assert float(TokenCrossEntropy()(SAYS, logits)) == pytest.approx(np.log(500), rel=0.05)


def test_one_batch_is_learnt_by_heart():
    model = make_model(share_embedding=True, tie_weights=True)
    trainer = keras.Model(model.input, model.output["logits"])
    trainer.compile(keras.optimizers.Adam(0.03), loss=TokenCrossEntropy())
    inputs = {"source": SOURCE, "target": TARGET}
    trainer.fit(inputs, SAYS, epochs=60, verbose=0)
    assert trainer.evaluate(inputs, SAYS, verbose=0) < 0.05
    decoded = greedy_search(*begin_translation(model, SOURCE), max_length=3)
    np.testing.assert_array_equal(np.asarray(decoded.ids)[:, 0], SAYS)


@pytest.mark.parametrize("name", sorted(DROPOUT))
def test_each_dropout_acts_in_training_alone(name):
    model, plain = make_model(**{name: 0.5}), make_model()
    inputs = {"source": SOURCE, "target": TARGET}
    plain.set_weights(model.get_weights())
    still = np.asarray(model(inputs, training=False)["logits"])
    np.testing.assert_array_equal(still, np.asarray(plain(inputs)["logits"]))
    assert np.abs(still - np.asarray(model(inputs, training=True)["logits"])).max() > 1e-3


def test_one_embedding_needs_one_vocabulary():
    with pytest.raises(UserError, match=r"model\.embedding\.share: expected one vocabulary"):
        make_model(source_vocab=12, share_embedding=True)
