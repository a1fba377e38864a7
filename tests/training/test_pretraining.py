"""A language model with the layers of a classifier, against NumPy."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.models.text_classifier import TextClassifierOptions, build_text_classifier
from rnnpipe.models.text_language_model import build_text_language_model
from rnnpipe.text.word_vectors import WordVectors
from rnnpipe.training.pretraining import TextPretrainer, pair_directions
from rnnpipe.training.transfer import NamedWeights, transfer_weights

VOCAB = 11
TOKENS = np.array([[4, 5, 6, 7, 5], [9, 10, 4, 0, 0], [8, 0, 0, 0, 0]], "int32")
OPTIONS = load_settings(
    TextClassifierOptions,
    {
        "embedding": {"size": 3, "scale": 1.0},
        "recurrence": {"cell": {"kind": "gru", "units": 4}, "bidirectional": True},
    },
)


def make(options=OPTIONS, **arguments):
    keras.utils.set_random_seed(2)
    return build_text_language_model(options, vocab=VOCAB, dropout=0.0, **arguments)


def log_softmax(logits):
    return logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())


def nats_of(trainer, tokens=TOKENS):
    """−log p of each word that is predicted, one after the other, and by which direction."""
    table, bias = (
        np.asarray(w, "float64")
        for w in (trainer.model.get_layer("embedding").embeddings, trainer.bias)
    )
    nats = []
    for padded in tokens:
        row = padded[padded != 0]
        features = {name: np.asarray(value[0]) for name, value in trainer(row[None]).items()}
        for t, word in enumerate(row):
            for name, by in (("next", t - 1), ("previous", t + 1)):
                if name in features and 0 <= by < len(row):
                    nats.append(-log_softmax(features[name][by] @ table.T + bias)[word])
    return nats


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_loss_is_that_of_every_word_from_its_neighbours(bidirectional):
    options = replace(OPTIONS, recurrence=replace(OPTIONS.recurrence, bidirectional=bidirectional))
    trainer = TextPretrainer(make(options))
    trainer.bias.assign(np.random.default_rng(1).normal(size=VOCAB))
    trainer.compile("sgd")
    nats = nats_of(trainer)
    assert len(nats) == (4 + 2) * (2 if bidirectional else 1)
    for batch_size in (1, 3):
        logs = trainer.evaluate(TOKENS, TOKENS, batch_size, verbose=0, return_dict=True)
        assert logs["loss"] == pytest.approx(np.mean(nats), rel=1e-5)
        assert logs["perplexity"] == pytest.approx(np.exp(np.mean(nats)), rel=1e-4)


def test_no_direction_reads_the_word_that_it_predicts():
    model = make()
    before = model(TOKENS)
    for place in range(5):
        tokens = TOKENS.copy()
        tokens[0, place] = 3
        after = model(tokens)
        changed = {
            name: np.abs(np.asarray(before[name] - after[name])[0]).max(axis=-1) > 1e-6
            for name in before
        }
        assert changed["next"].tolist() == [t >= place for t in range(5)]
        assert changed["previous"].tolist() == [t <= place for t in range(5)]


def test_each_direction_is_paired_with_the_words_that_it_predicts():
    features = {"next": TOKENS[..., None], "previous": TOKENS[..., None]}
    (forward, following), (backward, preceding) = pair_directions(TOKENS, features)
    pairs = [
        np.stack([read[..., 0], word], axis=-1)
        for read, word in ((forward, following), (backward, preceding))
    ]
    of_second = [[(int(read), int(word)) for read, word in rows[1] if word] for rows in pairs]
    assert of_second == [[(9, 10), (10, 4)], [(10, 9), (4, 10)]]


def test_a_sampled_softmax_of_one_direction_in_numpy():
    options = replace(OPTIONS, recurrence=replace(OPTIONS.recurrence, bidirectional=False))
    trainer = TextPretrainer(make(options), sampled_words=6, seed=3)
    trainer.bias.assign(np.random.default_rng(1).normal(size=VOCAB))
    words = np.asarray(TextPretrainer(make(options), sampled_words=6, seed=3)._draw())
    assert ((words >= 0) & (words < VOCAB)).all()
    share = np.log((np.arange(VOCAB) + 2) / (np.arange(VOCAB) + 1)) / np.log(VOCAB + 1)
    assert share.sum() == pytest.approx(1)
    features = trainer(TOKENS)
    table, bias = np.asarray(trainer.model.get_layer("embedding").embeddings), trainer.bias.numpy()
    lowered = bias - np.log(6 * share)
    nats = []
    for row, outputs in zip(TOKENS, np.asarray(features["next"]), strict=True):
        for t, word in enumerate(row[1:]):
            if word:
                logits = outputs[t] @ table.T + lowered
                others = [logits[other] for other in words if other != word]
                nats.append(-log_softmax(np.array([logits[word], *others]))[0])
    loss = trainer.compute_loss(TOKENS, TOKENS, features, training=True)
    assert float(loss) == pytest.approx(np.mean(nats), rel=1e-5)


def test_words_are_drawn_about_as_often_as_expected():
    trainer = TextPretrainer(make(), sampled_words=10)
    drawn = np.concatenate([np.asarray(trainer._draw()) for _ in range(400)])
    shares = np.bincount(drawn, minlength=VOCAB) / len(drawn)
    expected = np.exp(np.asarray(trainer._log_expected(np.arange(VOCAB)))) / 10
    np.testing.assert_allclose(shares, expected, atol=0.025)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("vectors", ["tuned", "both"])
def test_a_classifier_takes_the_layers_over(depth, vectors):
    recurrence = replace(OPTIONS.recurrence, depth=depth)
    embedding = replace(OPTIONS.embedding, vectors=vectors)
    options = replace(OPTIONS, recurrence=recurrence, embedding=embedding)
    words = WordVectors(np.array([4, 7]), np.ones((2, 3), "float32"), VOCAB, 1.0)
    model = make(options, word_vectors=words)
    classifier = build_text_classifier(options, vocab=VOCAB, classes=2, word_vectors=words)
    parts = {part: part for part in ("embedding", "recurrence")}
    transfer = transfer_weights(classifier, {}, NamedWeights.of(model, {}), parts)
    of_layers = [path for path in transfer.taken if path.startswith("recurrence/level_0/")]
    assert len(of_layers) == 6
    of_embedding = [path for path in transfer.taken if path.startswith("embedding/")]
    assert len(of_embedding) == (2 if vectors == "both" else 1)
    left = {why for path, why in transfer.left.items() if path.startswith("recurrence/level_1")}
    assert left == ({"the other run has no such weight"} if depth == 2 else set())


def test_training_lowers_the_perplexity():
    keras.utils.set_random_seed(1)
    texts = np.tile([[4, 5, 6, 7], [6, 4, 8, 9]], (8, 1)).astype("int32")
    trainer = TextPretrainer(make(), sampled_words=8)
    trainer.compile(keras.optimizers.Adam(0.05))
    before = trainer.evaluate(texts, texts, verbose=0, return_dict=True)["perplexity"]
    trainer.fit(texts, texts, batch_size=8, epochs=15, verbose=0)
    after = trainer.evaluate(texts, texts, verbose=0, return_dict=True)["perplexity"]
    assert after < 2 < before
