"""What attention adds to the loss of words."""

import keras
import numpy as np
import pytest

from rnnpipe.models.captioner import build_captioner
from rnnpipe.training.alignments import AlignmentTrainer
from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy
from tests.models.caption_decoders import caption_options

INPUTS = {
    "image": np.random.default_rng(1).normal(size=(3, 2, 3, 4)).astype("float32"),
    "image_index": np.array([0, 1, 1]),
    "caption": np.array([[2, 4, 5, 6], [2, 7, 0, 0], [2, 8, 9, 0]]),
}
SAYS = np.array([[4, 5, 6, 3], [7, 3, 0, 0], [8, 9, 3, 0]])
TOLD = (SAYS != 0).astype("float32")


def make_trainer(kind, **options):
    keras.utils.set_random_seed(3)
    settings = caption_options(kind, {"kind": "features"}, expected_share=0.0)
    model = build_captioner(settings, vocab=11, image_shape=(2, 3, 4))
    trainer = AlignmentTrainer(model, **options)
    trainer.compile(keras.optimizers.SGD(0.5), TokenCrossEntropy(), metrics=[Perplexity()])
    return trainer


def losses(logits):
    """−log p of each token, `(batch, time)`."""
    log_probs = np.asarray(keras.ops.log_softmax(logits))
    return -np.take_along_axis(log_probs, SAYS[:, :, None], axis=2)[:, :, 0] * TOLD


@pytest.mark.parametrize(("kind", "weight"), [("show_and_tell", 1.0), ("soft", 0.0), ("soft", 0.7)])
def test_the_loss_adds_the_penalty_on_unattended_cells(kind, weight):
    trainer = make_trainer(kind, doubly_stochastic=weight)
    outputs = trainer(INPUTS)
    total = losses(outputs["logits"]).sum()
    if "alignments" in outputs:
        looked = np.einsum("btrc,bt->brc", np.asarray(outputs["alignments"]), TOLD)
        total += weight * np.square(1 - looked).sum()
    found = trainer.evaluate(INPUTS, SAYS, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(total / TOLD.sum(), rel=1e-5)
    perplexity = np.exp(losses(outputs["logits"]).sum() / TOLD.sum())
    assert found["perplexity"] == pytest.approx(perplexity, rel=1e-5)


def test_the_regulariser_spreads_the_alignments():
    def unevenness(trainer):
        looked = np.einsum("btrc,bt->brc", np.asarray(trainer(INPUTS)["alignments"]), TOLD)
        return np.square(1 - looked).sum()

    gaps = {}
    for weight in (0.0, 3.0):
        trainer = make_trainer("soft", doubly_stochastic=weight)
        trainer.fit(INPUTS, SAYS, epochs=30, verbose=0)
        gaps[weight] = unevenness(trainer)
    even = (6 * np.square(1 - TOLD.sum(axis=1) / 6)).sum()  # as many looks at each of six cells
    assert gaps[3.0] == pytest.approx(even, rel=0.02)
    assert gaps[0.0] > 1.1 * even


def test_hard_attention_is_reinforced_in_training_alone():
    trainer = make_trainer("hard")
    outputs = trainer(INPUTS)
    found = trainer.evaluate(INPUTS, SAYS, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(losses(outputs["logits"]).sum() / TOLD.sum(), rel=1e-5)
    attention = trainer.model.get_layer("decoder").cell.attention.mechanism.mechanism
    before = attention.get_weights()
    for _ in range(3):  # the first batch sets the baseline
        trainer.train_on_batch(INPUTS, SAYS)
    assert float(trainer.baseline.average) < 0
    for old, new in zip(before, attention.get_weights(), strict=True):
        assert not np.array_equal(old, new)


def liars(rng, count=64):
    """Grids of which one cell, which is marked, says what the word is; the others say anything."""
    words = rng.integers(4, 8, count)
    rows, columns = rng.integers(0, 2, (2, count))
    here = np.arange(count), rows, columns
    said = rng.integers(4, 8, (count, 2, 2))
    said[here] = words
    images = np.concatenate([np.eye(4)[said - 4], np.zeros((count, 2, 2, 1))], axis=-1)
    images[(*here, 4)] = 1.0
    inputs = {"image": images, "image_index": here[0], "caption": np.full((count, 1), 2)}
    return inputs, words[:, None], here


def test_hard_attention_learns_where_the_word_is():
    keras.utils.set_random_seed(2)
    sizes = {"embedding": 4, "units": 8, "attention_units": 8}
    settings = caption_options("hard", {"kind": "features"}, **sizes, expected_share=0.0)
    model = build_captioner(settings, vocab=8, image_shape=(2, 2, 5))
    trainer = AlignmentTrainer(model, reward_weight=1.0, entropy_weight=0.02)
    trainer.compile(keras.optimizers.Adam(0.03), TokenCrossEntropy())
    rng = np.random.default_rng(0)
    for _ in range(120):
        inputs, says, _ = liars(rng)
        trainer.train_on_batch(inputs, says)
    inputs, _, (rows, *cells) = liars(rng)
    assert np.asarray(model(inputs)["probabilities"])[rows, 0, *cells].mean() > 0.9


def test_config_makes_the_same_trainer():
    trainer = make_trainer("hard", reward_weight=0.3, entropy_weight=0.1)
    again = AlignmentTrainer.from_config(trainer.get_config())
    assert (again.reward_weight, again.entropy_weight) == (0.3, 0.1)
    again.model.set_weights(trainer.model.get_weights())
    np.testing.assert_allclose(again(INPUTS)["logits"], trainer(INPUTS)["logits"], atol=1e-6)
