"""Scheduled sampling: whose words are read, and how often."""

import keras
import numpy as np
import pytest

from rnnpipe.decoding import greedy_search
from rnnpipe.errors import UserError
from rnnpipe.layers import (
    AdditiveAttention,
    AttentionDecoder,
    GRUCell,
    ScheduledSampling,
    exponential_schedule,
    inverse_sigmoid_schedule,
    linear_schedule,
)
from tests.layers.comparing import close


def certain(decoder):
    """The decoder with logits so far apart that drawing a word is choosing the likeliest."""
    decoder.to_logits.set_weights([200 * weight for weight in decoder.to_logits.get_weights()])
    return decoder


def test_a_rate_of_zero_is_teacher_forcing(make_decoder, tokens, memory, mask):
    decoder = make_decoder("gl")
    expected = decoder(tokens, memory, mask=mask)
    for rate in (0, keras.ops.array(0.0)):
        found = decoder(tokens, memory, mask=mask, sampling_rate=rate, training=True)
        close(found[0], expected[0])
        close(found[1], expected[1])


def test_a_rate_of_one_reads_the_greedy_decoding(make_decoder, tokens, memory, mask):
    decoder = certain(make_decoder(seed=1))
    tokens[:, 0] = 2
    logits, alignments = decoder(tokens, memory, mask=mask, sampling_rate=1.0, training=True)
    decoded = greedy_search(*decoder.begin(memory, mask), max_length=4, start=2, end=10)
    for n, length in enumerate(decoded.lengths.numpy()[:, 0]):
        chosen = keras.ops.argmax(logits[n], axis=-1)[:length]
        close(chosen, decoded.ids.numpy()[n, 0, :length])
        close(alignments[n, :length], decoded.alignments[n, 0, :length])


def test_a_share_of_the_words_is_drawn(random):
    """A decoder that says its last word again tells of each word whose it was."""
    decoder = AttentionDecoder(
        4, 4, keras.layers.SimpleRNNCell(4), AdditiveAttention(2), output="plain", seed=3
    )
    memory = np.zeros((400, 1, 1), "float32")
    decoder.build((None, None), memory.shape)
    decoder.set_weights([0 * weight for weight in decoder.get_weights()])
    decoder.embedding.set_weights([np.eye(4)])
    kernel = np.zeros((5, 4))
    kernel[:4] = np.eye(4)
    decoder.cell.cells[0].kernel.assign(kernel)
    decoder.to_logits.kernel.assign(200 * kernel)
    given = np.ones((400, 6), "int32")
    given[:, 1:] = 2
    logits, _ = decoder(given, memory, sampling_rate=0.25, training=True)
    said = np.argmax(logits, axis=-1)
    assert (said[:, 0] == 1).all()
    # A row says 1 until the first given word is read.
    for t in range(1, 4):
        assert abs((said[:, t] == 1).mean() - 0.25**t) < 0.06


def test_it_acts_only_in_training(make_decoder, tokens, memory):
    decoder = make_decoder(sampling_rate=1.0)
    decoder.sampling_rate.assign(1.0)
    plain = make_decoder()
    plain.set_weights(decoder.get_weights()[1:])
    close(decoder(tokens, memory)[0], plain(tokens, memory)[0])
    assert np.abs(decoder(tokens, memory, training=True)[0] - plain(tokens, memory)[0]).max() > 0.1
    close(decoder(tokens, memory, sampling_rate=0, training=True)[0], plain(tokens, memory)[0])


def test_a_callback_sets_the_rate_before_each_step():
    tokens, memory = keras.Input((None,), dtype="int32"), keras.Input((None, 3))
    decoder = AttentionDecoder(
        5, 4, GRUCell(4), AdditiveAttention(4), sampling_rate=0.0, dropout=0.1
    )
    model = keras.Model([tokens, memory], decoder(tokens, memory)[0])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = [np.ones((8, 3), "int32"), np.zeros((8, 2, 3), "float32")]
    rates = []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            rates.append(float(decoder.sampling_rate))

    callbacks = [ScheduledSampling(decoder, linear_schedule(4, final=0.8)), Record()]
    model.fit(*[data, data[0]], batch_size=2, epochs=1, verbose=0, callbacks=callbacks)
    close(rates, [0.0, 0.2, 0.4, 0.6])
    model.fit(*[data, data[0]], batch_size=4, epochs=1, verbose=0, callbacks=callbacks)
    close(rates[4:], [0.8, 0.8])


def test_schedules_have_their_defined_rates():
    close([linear_schedule(10, 0.5)(step) for step in (0, 5, 10, 99)], [0, 0.25, 0.5, 0.5])
    close([exponential_schedule(0.9)(step) for step in (0, 1, 2)], [0, 0.1, 0.19])
    pace = inverse_sigmoid_schedule(5.0)
    close([pace(step) for step in (0, 7)], [1 - 5 / (5 + np.exp(step / 5)) for step in (0, 7)])
    assert pace(10**6) == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: linear_schedule(0), "steps: expected at least 1, got 0"),
        (lambda: linear_schedule(5, 2.0), "final: expected a rate from 0 to 1, got 2.0"),
        (lambda: exponential_schedule(1.0), "base: expected between 0 and 1, got 1.0"),
        (lambda: inverse_sigmoid_schedule(0.5), "pace: expected at least 1, got 0.5"),
    ],
)
def test_wrong_schedules_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


def test_a_decoder_without_a_sampling_rate_is_refused(make_decoder):
    with pytest.raises(UserError, match="a decoder with a sampling rate, got 'attention_decoder"):
        ScheduledSampling(make_decoder(), linear_schedule(4))
