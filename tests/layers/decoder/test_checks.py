"""Wrong use names what was expected and what came."""

import keras
import numpy as np
import pytest

from rnnpipe.decoding import greedy_search
from rnnpipe.errors import UserError
from rnnpipe.layers import AdditiveAttention, AttentionDecoder, GRUCell

WORDS, MEMORY = np.ones((2, 3), "int32"), np.zeros((2, 4, 5), "float32")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocab": 0}, "a vocabulary of at least 1, got 0"),
        (
            {"architecture": "inside"},
            r"architecture to be one of \('luong', 'bahdanau', 'top_down'\), got 'inside'",
        ),
        ({"output": "linear"}, "output to be one of .*, got 'linear'; choose one"),
        ({"cell": []}, "at least one cell, got none"),
        ({"cell": "gru"}, "a recurrent cell, got 'gru'; write e.g. cell=GRUCell"),
        ({"attention": "additive"}, "an attention mechanism, got 'additive'; write e.g."),
        ({"sampling_rate": 1.5}, "a sampling rate from 0 to 1, got 1.5"),
        ({"dropout": 1.0}, "dropout from 0 to below 1, got 1.0"),
        ({"embedding": keras.layers.Embedding(7, 4)}, "an embedding of 9 tokens, got one of 7"),
        ({"output_size": 0}, "an output_size of at least 1, got 0"),
    ],
)
def test_wrong_options_are_refused(options, message):
    usual = {"vocab": 9, "embedding": 4, "cell": GRUCell(6), "attention": AdditiveAttention(3)}
    with pytest.raises(UserError, match="AttentionDecoder 'say': expected " + message):
        AttentionDecoder(**{**usual, **options}, name="say")


def test_tied_weights_need_a_readout_of_their_size():
    decoder = AttentionDecoder(
        9, 4, GRUCell(6), AdditiveAttention(3), output="plain", tie_weights=True
    )
    with pytest.raises(UserError, match="a readout of 4, the size of the tied embedding, got 11"):
        decoder(WORDS, MEMORY)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"memory": None}, r"a memory \(batch, source_time, features\), got None; pass"),
        ({"tokens": WORDS[0]}, r"integer tokens \(batch, target_time\), got \(3,\) of int32"),
        ({"tokens": WORDS.astype("float32")}, r"integer tokens .*, got \(2, 3\) of float32"),
        ({"tokens": WORDS * 9}, "tokens from 0 to 8, got 9; check the vocabulary"),
        ({"tokens": -WORDS}, "tokens from 0 to 8, got -1"),
        ({"memory": MEMORY[:1]}, r"tokens and memory of equal batches, got batches of \[1, 2\]"),
        ({"mask": np.ones((2, 3), bool)}, r"a mask over the memory's positions \(2, 4\), got"),
        (
            {"initial_state": [np.zeros((2, 6))] * 2},
            r"initial_state of 1 .*, 6\)\], got 2 of",
        ),
        ({"initial_state": np.zeros((2, 5))}, r"initial_state of 1 .*, got 1 of \[\(2, 5\)\]"),
    ],
)
def test_wrong_calls_are_refused(arguments, message):
    decoder = AttentionDecoder(9, 4, GRUCell(6), AdditiveAttention(3))
    decoder.build(WORDS.shape, MEMORY.shape)
    with pytest.raises(UserError, match="expected " + message):
        decoder(**{"tokens": WORDS, "memory": MEMORY, **arguments})


def test_a_first_call_without_memory():
    decoder = AttentionDecoder(9, 4, GRUCell(6), AdditiveAttention(3), name="say")
    with pytest.raises(UserError, match=r"'say': expected a memory \(batch, source_time, feat"):
        decoder(WORDS)


def test_wrong_arguments_of_begin_are_refused():
    decoder = AttentionDecoder(9, 4, GRUCell(6), AdditiveAttention(3), name="say")
    with pytest.raises(UserError, match="'say': expected a built decoder, got one without weights"):
        decoder.begin(MEMORY)
    decoder.build(WORDS.shape, MEMORY.shape)
    with pytest.raises(UserError, match=r"a memory \(batch, source_time, features\), got None"):
        decoder.begin(None)
    with pytest.raises(UserError, match="a mask over the memory's positions"):
        decoder.begin(MEMORY, np.ones((2, 9), bool))
    with pytest.raises(UserError, match="tokens from 0 to 8, got 12; check the vocabulary, start"):
        greedy_search(*decoder.begin(MEMORY), start=12, max_length=3)
    with pytest.raises(UserError, match="end: expected a token of the vocabulary, 0 to 8, got 12"):
        greedy_search(*decoder.begin(MEMORY), end=12, max_length=3)


@pytest.mark.parametrize(
    ("cells", "memory", "message"),
    [
        (1, MEMORY.shape, "two cells or more, got 1; write e.g. cell="),
        (2, [MEMORY.shape, MEMORY.shape], "one memory, got 2"),
    ],
)
def test_top_down_needs_two_cells_and_one_memory(cells, memory, message):
    cells = [GRUCell(6) for _ in range(cells)]
    decoder = AttentionDecoder(9, 4, cells, AdditiveAttention(3), architecture="top_down")
    with pytest.raises(UserError, match=message):
        decoder.build(WORDS.shape, memory)
