"""A decoder of any options, and something to decode."""

import numpy as np
import pytest

from rnnpipe.layers import AdditiveAttention, AttentionDecoder, GRUCell, LSTMCell

VOCAB, FEATURES, POSITIONS = 11, 5, 6
BATCH, TIME = 3, 4


@pytest.fixture
def make_decoder(random):
    """Makes a built decoder with distinct weights; `cells` is a letter for each: g or l."""

    def make(cells="g", glimpses=1, dtype="float32", attention=None, memory=FEATURES, **options):
        kinds = {"g": GRUCell, "l": LSTMCell}
        sizes = range(7, 7 + len(cells))
        decoder = AttentionDecoder(
            VOCAB,
            8,
            [kinds[kind](size, dtype=dtype) for kind, size in zip(cells, sizes, strict=True)],
            attention or AdditiveAttention(9, glimpses, dtype=dtype),
            dtype=dtype,
            **options,
        )
        shape = memory if isinstance(memory, tuple) else (None, None, memory)
        decoder.build((None, None), shape)
        decoder.set_weights([0.6 * random.normal(size=w.shape) for w in decoder.weights])
        return decoder

    return make


@pytest.fixture
def tokens(random):
    return random.integers(1, VOCAB, (BATCH, TIME))


@pytest.fixture
def memory(random):
    return random.normal(size=(BATCH, POSITIONS, FEATURES)).astype("float32")


@pytest.fixture
def mask():
    return np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 1, 0, 0, 1, 0]], bool)


@pytest.fixture
def states_for(random):
    """First states for all cells of a decoder."""

    def make(decoder):
        return [random.normal(size=(BATCH, size)).astype("float32") for size in decoder.state_sizes]

    return make
