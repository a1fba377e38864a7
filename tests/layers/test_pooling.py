"""Poolings against NumPy."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import LSTM, AttentionPooling, ConcatPooling, MaxPooling, MeanPooling
from tests.layers import reference
from tests.layers.comparing import all_close, close, gradients, projected

BATCH, TIME, FEATURES, UNITS, GLIMPSES = 3, 5, 4, 7, 2
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 1, 0, 1], [0, 0, 1, 0, 0]], bool)


def weights(random, features=FEATURES, units=UNITS):
    return [
        random.normal(size=(features, units)),
        random.normal(size=units),
        random.normal(size=(units, GLIMPSES)),
    ]


def mean(steps):
    return sum(steps) / len(steps), [1 / len(steps)] * len(steps)


def largest(steps):
    best = [max(range(len(steps)), key=lambda t: steps[t][j]) for j in range(FEATURES)]
    pooled = [steps[t][j] for j, t in enumerate(best)]
    return np.array(pooled), [best.count(t) / FEATURES for t in range(len(steps))]


def last_largest_and_mean(steps):
    """Of the features 1 and 2, half of all, the last state is that of the first step."""
    last = np.array([steps[0][j] if j in (1, 2) else steps[-1][j] for j in range(FEATURES)])
    ends = np.zeros(len(steps))
    ends[0] += 0.5
    ends[-1] += 0.5
    pooled, alignments = zip((last, ends), largest(steps), mean(steps), strict=True)
    return np.concatenate(pooled), np.array(alignments)


def attended(values):
    kernel, bias, score_kernel = values

    def pool(steps):
        pooled, alignments = [], []
        for v in score_kernel.T:
            scores = np.array([v @ np.tanh(x @ kernel + bias) for x in steps])
            shares = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
            alignments.append(shares)
            pooled.append(sum(share * x for share, x in zip(shares, steps, strict=True)))
        return np.concatenate(pooled), np.array(alignments)

    return pool


def make(kind, random, dtype="float64"):
    """A pooling and its oracle, which knows neither batch nor mask."""
    if kind == "mean":
        return MeanPooling(dtype=dtype), mean
    if kind == "max":
        return MaxPooling(dtype=dtype), largest
    if kind == "concat":
        return ConcatPooling(backward=(1, 3), dtype=dtype), last_largest_and_mean
    layer, values = AttentionPooling(UNITS, GLIMPSES, dtype=dtype), weights(random)
    layer.build((None, None, FEATURES))
    layer.set_weights(values)
    return layer, attended(values)


KINDS = pytest.mark.parametrize("kind", ["mean", "max", "concat", "attention"])


@KINDS
@pytest.mark.parametrize("masked", [True, False])
def test_equals_the_oracle(random, kind, masked):
    layer, oracle = make(kind, random)
    sequences = random.normal(size=(BATCH, TIME, FEATURES))
    mask = MASK if masked else np.ones_like(MASK)
    pooled, alignments = layer(sequences, mask=mask if masked else None)
    glimpses = {"attention": GLIMPSES, "concat": 3}.get(kind, 1)
    assert alignments.shape == (BATCH, glimpses, TIME)
    for n in range(BATCH):
        expected = oracle(list(sequences[n][mask[n]]))
        close(pooled[n], expected[0], 1e-12)
        close(alignments[n].numpy()[:, mask[n]], np.atleast_2d(expected[1]), 1e-12)
        assert not np.any(alignments[n].numpy()[:, ~mask[n]])


@KINDS
def test_gradients_equal_finite_differences(random, kind):
    layer, _ = make(kind, random)
    values = layer.get_weights()
    sequences = random.normal(size=(2, 4, FEATURES))
    mask = np.array([[1, 1, 0, 1], [0, 1, 1, 0]], bool)

    def loss():
        layer.set_weights(values)
        return float(projected(layer(sequences, mask=mask)))

    found = gradients(layer, sequences, mask=mask)
    for gradient, array in zip(found, [*values, sequences], strict=True):
        close(gradient, reference.numeric_gradient(loss, array), 1e-7)


@KINDS
def test_padding_changes_nothing_even_where_it_is_nan(random, kind):
    layer, _ = make(kind, random, "float32")
    sequences = random.normal(size=(1, TIME, FEATURES)).astype("float32")
    alone = layer(sequences[:, :3])
    sequences[:, 3:] = np.nan
    mask = np.arange(TIME)[None] < 3
    pooled, alignments = layer(sequences, mask=mask)
    all_close((pooled, alignments[:, :, :3]), alone)
    assert not np.any(alignments[:, :, 3:])
    found = gradients(layer, sequences, mask=mask)
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert not np.any(found[-1][:, 3:])


@KINDS
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_an_entirely_masked_sequence_pools_to_zero(random, kind, dtype):
    layer, _ = make(kind, random, dtype)
    sequences = random.normal(size=(1, TIME, FEATURES)).astype("float32")
    mask = np.zeros((1, TIME), bool)
    for output in layer(sequences, mask=mask):
        assert keras.backend.standardize_dtype(output.dtype) == layer.compute_dtype
        assert not np.any(keras.ops.cast(output, "float32"))
    for gradient in gradients(layer, sequences, mask=mask):
        assert not np.any(keras.ops.cast(gradient, "float32"))


@KINDS
def test_the_mask_of_an_embedding_is_used(random, kind):
    ids = np.array([[4, 2, 3, 0, 0]])
    words = keras.layers.Embedding(5, FEATURES, mask_zero=True)(ids)
    steps = LSTM(FEATURES, return_sequences=True)(words)
    layer, _ = make(kind, random, "float32")
    all_close(layer(steps), layer(steps, mask=ids != 0))


def test_dropout_only_in_training(random):
    layer = AttentionPooling(UNITS, dropout=0.5, seed=1)
    sequences = random.normal(size=(1, TIME, FEATURES))
    still = layer(sequences)[1]
    close(layer(sequences, training=False)[1], still)
    assert np.abs(layer(sequences, training=True)[1] - still).max() > 1e-3


@KINDS
def test_saved_models_load_in_another_process(random, kind, predict_elsewhere):
    layer, _ = make(kind, random, "float32")
    inputs, mask = keras.Input((None, FEATURES)), keras.Input((None,), dtype="bool")
    model = keras.Model([inputs, mask], layer(inputs, mask=mask))
    sequences = random.normal(size=(BATCH, TIME, FEATURES))
    all_close(predict_elsewhere(model, [sequences, MASK]), model([sequences, MASK]))


def test_config_makes_the_same_layer():
    layer = AttentionPooling(3, 2, dropout=0.1, seed=4)
    assert AttentionPooling.from_config(layer.get_config()).get_config() == layer.get_config()


def test_wrong_use_is_refused():
    with pytest.raises(UserError, match="at least 1 unit, got 0"):
        AttentionPooling(0)
    with pytest.raises(UserError, match="at least 1 glimpse, got 0"):
        AttentionPooling(2, 0)
    with pytest.raises(UserError, match=r"backward features from one on, got \(3, 2\)"):
        ConcatPooling((3, 2))
    layer = MeanPooling(name="pool")
    with pytest.raises(UserError, match=r"'pool': expected sequences .*, got \(2, 3\)"):
        layer(np.zeros((2, 3)))
    with pytest.raises(UserError, match=r"a mask of shape .* \(2, 3\), got \(2, 4\)"):
        layer(np.zeros((2, 3, 1)), mask=np.ones((2, 4), bool))
