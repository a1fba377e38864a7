from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.inputs.streams import make_stream_batches, make_streams
from rnnpipe.layers import LSTM, LSTMCell, Zoneout
from rnnpipe.models.language_model import LanguageModelOptions, build_language_model, state_sizes
from rnnpipe.parts.cells import CellOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.training.bits import BitsPerToken
from rnnpipe.training.token_targets import TokenCrossEntropy
from rnnpipe.training.truncated import TruncatedBPTT
from tests.training.recurrent_oracle import Oracle

VOCAB, UNITS = 9, 5
EMBEDDING = EmbeddingOptions(size=4)
CELLS: dict[str, Any] = CellOptions.kinds.load()


@pytest.fixture
def double():
    """Everything in float64."""
    # Keras derives the policy from floatx once, when it is first asked for.
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def make_model(kind="vanilla", **options):
    keras.utils.set_random_seed(3)
    recurrence = RecurrenceOptions(cell=CELLS[kind](units=UNITS), **options)
    model_options = LanguageModelOptions(embedding=EMBEDDING, recurrence=recurrence)
    return build_language_model(model_options, vocab=VOCAB)


def make_trainer(model, rows, optimizer="sgd", **options):
    trainer = TruncatedBPTT(model, rows, **options)
    trainer.compile(optimizer, loss=TokenCrossEntropy(), weighted_metrics=[])
    return trainer


def random_documents(*lengths, seed=5):
    rng = np.random.default_rng(seed)
    return [rng.integers(4, VOCAB, length) for length in lengths]


def zeros(model, rows=1):
    return [np.zeros((rows, size)) for size in state_sizes(model)]


def fit(trainer, streams, **options):
    return trainer.fit(make_stream_batches(streams), shuffle=False, verbose=0, **options)


@pytest.mark.usefixtures("double")
def test_it_equals_truncated_backpropagation_by_hand():
    model = make_model()
    oracle = Oracle(model.get_weights())
    streams = make_streams(random_documents(11, 4, 9), rows=2, time=3)
    assert (
        streams.starts.sum() == 5
    )  # three documents, a row that begins within one, one chunk of nothing
    fit(make_trainer(model, 2, keras.optimizers.SGD(0.5)), streams, epochs=2)
    oracle.train(streams, 0.5)
    oracle.train(streams, 0.5)
    for ours, theirs in zip(model.get_weights(), oracle.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_the_oracle_has_the_gradients_of_its_loss():
    rng = np.random.default_rng(1)
    shapes = [(VOCAB, 4), (4, UNITS), (UNITS, UNITS), (UNITS,), (UNITS, VOCAB), (VOCAB,)]
    oracle = Oracle([rng.normal(size=shape) for shape in shapes])
    tokens, targets = rng.integers(1, VOCAB, (2, 2, 6))
    targets[1, 4:] = 0
    first = rng.normal(size=(2, UNITS))
    grads, _ = oracle.gradients(tokens, targets, first)
    for number, grad in enumerate(grads):
        direction = rng.normal(size=grad.shape)
        losses = []
        for step in (1e-6, -1e-6):
            moved = Oracle(oracle.weights)
            moved.weights[number] += step * direction
            losses.append(moved.loss(tokens, targets, first))
        assert (losses[0] - losses[1]) / 2e-6 == pytest.approx((grad * direction).sum(), abs=1e-8)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("kind", ["vanilla", "lstm", "gru", "recurrent_highway"])
def test_a_single_chunk_is_full_backpropagation(kind):
    model = make_model(kind, depth=2, connection="residual")
    (document,) = random_documents(20)
    streams = make_streams([document], rows=1, time=20)
    inputs = {"tokens": streams.tokens[0], "starts": streams.starts[0], "states": zeros(model)}
    with tf.GradientTape() as tape:
        logits = model(inputs, training=True)["logits"]
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(streams.targets[0], logits)
        )
    gradients = tape.gradient(loss, model.trainable_variables)
    expected = [
        variable.numpy() - 0.1 * tf.convert_to_tensor(gradient).numpy()
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
    ]
    fit(make_trainer(model, 1, keras.optimizers.SGD(0.1)), streams)
    for ours, theirs in zip(model.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("time", [1, 4, 7])
def test_evaluation_with_carried_states_is_one_long_pass(time):
    model = make_model("lstm", depth=2)
    (document,) = random_documents(30)
    trainer = make_trainer(model, 3, evaluation_rows=1)
    carried = trainer.evaluate(
        make_stream_batches(make_streams([document], rows=1, time=time)), verbose=0
    )
    whole = make_streams([document], rows=1, time=30)
    inputs = {"tokens": whole.tokens[0], "starts": whole.starts[0], "states": zeros(model)}
    logits = model(inputs)["logits"]
    expected = float(TokenCrossEntropy()(whole.targets[0], logits))
    if 30 % time == 0:  # else the last batch, which is shorter, counts like the others
        assert carried == pytest.approx(expected, rel=1e-6)
    steps = make_streams([document], rows=1, time=time)
    pieces = [trainer(inputs).numpy() for inputs, _ in make_stream_batches(steps)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1)[:, :30], logits, rtol=1e-5, atol=1e-6)


def test_learned_first_states_are_trained_where_texts_start():
    model = make_model("gru", learned_state=True)
    first = model.get_layer("first_states")
    streams = make_streams(random_documents(12, 9), rows=2, time=3)
    fit(make_trainer(model, 2), streams)
    (vector,) = first.get_weights()
    assert np.all(vector != 0)
    streams.starts[:] = False
    fit(make_trainer(model, 2), streams)
    np.testing.assert_array_equal(first.get_weights(), [vector])


def test_documents_are_scored_independently():
    model = make_model("gru")
    first, second, third = random_documents(7, 5, 6)
    together = make_streams([first, second, third], rows=1, time=4)
    alone = make_streams([second], rows=1, time=4)
    trainer = make_trainer(model, 1)
    logits = np.stack([trainer(inputs).numpy() for inputs, _ in make_stream_batches(together)])
    expected = np.stack([trainer(inputs).numpy() for inputs, _ in make_stream_batches(alone)])
    np.testing.assert_allclose(together.by_text(logits)[7:12], alone.by_text(expected), atol=1e-6)


def test_validation_does_not_change_the_states_of_training():
    model = make_model("lstm")
    trainer = make_trainer(model, 2, evaluation_rows=1)
    streams = make_streams(random_documents(24), rows=2, time=4)
    fit(
        trainer,
        streams,
        validation_data=make_stream_batches(
            make_streams(random_documents(9, seed=8), rows=1, time=4)
        ),
    )
    held = [state.numpy() for state in trainer.carried["training"]]
    assert all(np.abs(state).max() > 0 for state in held)
    trainer.evaluate(
        make_stream_batches(make_streams(random_documents(9), rows=1, time=4)), verbose=0
    )
    for state, before in zip(trainer.carried["training"], held, strict=True):
        np.testing.assert_array_equal(state.numpy(), before)
    trainer.reset()
    assert all(np.abs(state.numpy()).max() == 0 for state in trainer.carried["training"])


def test_a_checkpoint_holds_the_carried_states(tmp_path):
    streams = make_streams(random_documents(60), rows=2, time=5)
    batches = make_stream_batches(streams)

    def trained(*parts):
        trainer = make_trainer(make_model("lstm"), 2, keras.optimizers.Adam(0.01))
        for number, part in enumerate(parts):
            if number:
                trainer.save_weights(tmp_path / "half.weights.h5")
                trainer = make_trainer(make_model("lstm"), 2, keras.optimizers.Adam(0.01))
                trainer.train_on_batch(*next(iter(batches)))  # makes the optimizer's variables
                trainer.load_weights(tmp_path / "half.weights.h5")
            trainer.fit(part, shuffle=False, verbose=0)
        return trainer

    whole, halves = trained(batches), trained(batches.take(3), batches.skip(3))
    for ours, theirs in zip(halves.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_any_recurrence_that_returns_states_is_accepted():
    returned = {"return_sequences": True, "return_state": True}
    for layer in (LSTM(UNITS, **returned), Zoneout(LSTMCell(UNITS), 0.1, **returned)):
        options = LanguageModelOptions(embedding=EMBEDDING)
        model = build_language_model(options, vocab=VOCAB, recurrence=layer)
        trainer = make_trainer(model, 2, keras.optimizers.Adam(0.05))
        history = fit(trainer, make_streams(random_documents(40), rows=2, time=5), epochs=30)
        assert history.history["loss"][-1] < 0.8 * history.history["loss"][0]


def test_it_is_saved_and_loaded(tmp_path):
    trainer = make_trainer(make_model("lstm"), 2)
    streams = make_streams(random_documents(20), rows=2, time=5)
    fit(trainer, streams)
    trainer.save(tmp_path / "trainer.keras")
    loaded = keras.models.load_model(tmp_path / "trainer.keras")
    inputs = {"tokens": streams.tokens[-1], "starts": np.array([False, False])}
    np.testing.assert_allclose(loaded(inputs, training=True), trainer(inputs, training=True))


def test_bits_are_the_logarithm_of_the_perplexity():
    metric = BitsPerToken()
    logits = np.log(np.array([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [1e-9, 0.5, 0.5]]]))
    metric.update_state(np.array([[1, 2, 0]]), logits)
    assert float(metric.result()) == pytest.approx(2.0)
