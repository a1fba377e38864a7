"""What `begin` gives to the strategies of decoding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.decoding import beam_search, greedy_search
from rnnpipe.errors import UserError
from rnnpipe.layers import LSTM, AdditiveAttention, AttentionDecoder, GRUCell
from tests.layers.cases import BATCH, UNITS, call_case
from tests.layers.comparing import all_close, close


def peaked(decoder):
    """The decoder with logits far enough apart that rounding chooses no other word."""
    decoder.to_logits.set_weights([8 * weight for weight in decoder.to_logits.get_weights()])
    return decoder


def test_greedy_scores_are_those_of_teacher_forcing(make_decoder, memory, mask):
    decoder = peaked(make_decoder("gl"))
    found = greedy_search(*decoder.begin(memory, mask), max_length=5, end=10, start=2)
    ids, lengths = found.ids.numpy()[:, 0], found.lengths.numpy()[:, 0]
    given = np.concatenate([np.full((3, 1), 2), ids[:, :-1]], axis=1)
    logits, alignments = decoder(given, memory, mask=mask)
    log_probs = keras.ops.log_softmax(logits).numpy()
    for n, length in enumerate(lengths):
        steps = np.arange(length)
        assert (log_probs[n].argmax(-1)[:length] == ids[n, :length]).all()
        close(found.scores[n, 0], log_probs[n, steps, ids[n, :length]].sum(), 1e-4)
        close(found.alignments[n, 0, :length], alignments[n, :length])


@pytest.mark.parametrize("compiled", [False, True])
def test_beam_search_is_the_same_with_memory_inside_and_outside_the_state(
    make_decoder, memory, mask, compiled
):
    decoder = peaked(make_decoder(glimpses=2))

    def search(memory, mask, beam_width):
        step, state = decoder.begin(memory, mask, beam_width=beam_width)
        return beam_search(step, state, beam_width=3, n_best=3, max_length=5, end=10, start=2)

    inside = search(memory, mask, None)
    run = tf.function(search, jit_compile=True) if compiled else search
    all_close(run(tf.constant(memory), tf.constant(mask), 3), inside)
    all_close(run(tf.constant(memory), tf.constant(mask), None), inside)


def test_a_graph_takes_any_batch_and_source_length(make_decoder, memory, mask):
    decoder = peaked(make_decoder())
    signature = [tf.TensorSpec([None, None, 5]), tf.TensorSpec([None, None], tf.bool)]

    @tf.function(input_signature=signature)
    def search(memory, mask):
        step, state = decoder.begin(memory, mask)
        return beam_search(step, state, beam_width=2, max_length=4, end=10, start=2)

    step, state = decoder.begin(memory, mask)
    all_close(
        search(memory, mask), beam_search(step, state, beam_width=2, max_length=4, end=10, start=2)
    )
    assert search(memory[:1, :4], mask[:1, :4]).alignments.shape == (1, 1, 4, 1, 4)


def test_the_mask_of_the_memory_is_used(random):
    source = np.array([[4, 2, 3, 0, 0], [1, 2, 3, 4, 5]])
    encoder = keras.Sequential(
        [keras.layers.Embedding(6, 3, mask_zero=True), LSTM(4, return_sequences=True)]
    )
    memory = encoder(source)
    decoder = AttentionDecoder(6, 3, GRUCell(4), AdditiveAttention(4))
    logits, alignments = decoder(np.ones((2, 1), "int32"), memory)
    assert not np.any(alignments[0, :, :, 3:])
    assert np.all(alignments.numpy()[1] > 0)
    step, state = decoder.begin(memory)
    again, _, look = step(np.ones(2, "int32"), state)
    close(again, logits[:, 0])
    close(look, alignments[:, 0])


def test_a_search_wider_than_prepared_is_refused():
    decoder, (tokens, memory), _ = call_case("luong")
    with pytest.raises(
        UserError, match=r"step: expected 21 rows, as begin.* got 28; pass the beam"
    ):
        beam_search(*decoder.begin(memory, beam_width=3), beam_width=4, max_length=4)
    with pytest.raises(UserError, match="a beam_width of at least 1, got 0"):
        decoder.begin(memory, beam_width=0)
    h = np.ones((BATCH, UNITS), "float32")
    all_close(decoder(tokens, memory, initial_state=[[h]]), decoder(tokens, memory, None, [h]))
    numbers = AttentionDecoder(np.int64(9), np.int64(4), GRUCell(4), AdditiveAttention(3))
    step, state = (numbers(tokens, memory), numbers.begin(memory))[1]
    assert greedy_search(step, state, max_length=np.int64(4), end=np.int64(3)).ids.shape[0] == BATCH
