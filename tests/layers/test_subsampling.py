"""Convolutional subsampling, against a loop over frames, frequencies and channels."""

import itertools
import math

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import LSTM, ConvolutionalSubsampling
from tests.layers.comparing import check_slopes, close, gradients, projected

FREQUENCIES = 5

OPTIONS = [
    {"depth": 1},
    {"depth": 2, "causal": True},
    {"depth": 2, "kernel_size": 5},
    {"depth": 1, "kernel_size": 4, "stride": 3, "frequency_stride": 1, "causal": True},
    {"depth": 1, "kernel_size": 2, "causal": True},
    {"depth": 2, "stride": 1},
]

every_option = pytest.mark.parametrize("options", OPTIONS)


def made(random, dtype="float64", **options):
    layer = ConvolutionalSubsampling(2, dtype=dtype, **options)
    layer.build((None, None, FREQUENCIES))
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def convolve(frames, kernel, bias, stride, frequency_stride, before):
    """One convolution of one sequence (time, frequencies, channels): one number after another."""
    size, count, frequencies = len(kernel), len(frames), frames.shape[1]
    steps, left = math.ceil(count / stride), math.ceil(frequencies / frequency_stride)
    below = max((left - 1) * frequency_stride + size - frequencies, 0) // 2
    outputs = np.zeros((steps, left, kernel.shape[-1]))
    for t, f, channel in np.ndindex(outputs.shape):
        total = bias[channel]
        for i, j in itertools.product(range(size), repeat=2):
            frame, frequency = t * stride - before + i, f * frequency_stride - below + j
            if 0 <= frame < count and 0 <= frequency < frequencies:
                total += frames[frame, frequency] @ kernel[i, j, :, channel]
        outputs[t, f, channel] = max(total, 0)
    return outputs


def subsample(layer, features):
    """The outputs for one sequence (time, frequencies)."""
    hidden, weights = features[:, :, None], layer.get_weights()
    outside = layer.kernel_size - layer.stride
    before = outside if layer.causal else outside // 2
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        hidden = convolve(hidden, kernel, bias, layer.stride, layer.frequency_stride, before)
    return hidden.reshape(len(hidden), -1)


@every_option
@pytest.mark.parametrize("time", [1, 6, 7])
def test_equals_the_oracle(random, options, time):
    layer, features = made(random, **options), random.normal(size=(2, time, FREQUENCIES))
    outputs = layer(features)
    close(outputs, [subsample(layer, row) for row in features], 1e-12)
    assert outputs.shape == layer.compute_output_shape(features.shape)
    assert outputs.shape[1] == layer.compute_lengths(time) == math.ceil(time / layer.factor)


@every_option
def test_padding_and_batch_change_nothing_even_where_padding_is_nan(random, options):
    layer, features = made(random, **options), random.normal(size=(4, 9, FREQUENCIES))
    lengths = np.array([9, 6, 1, 0])
    mask = np.arange(9) < lengths[:, None]
    features[~mask] = np.nan
    outputs, left = layer(features, mask=mask), layer.compute_lengths(lengths)
    for row, length in enumerate(lengths[:3]):
        expected = subsample(layer, features[row, :length])
        close(outputs[row, : left[row]], expected, 1e-12)
    found = np.asarray(layer.compute_mask(features, mask))
    np.testing.assert_array_equal(found, np.arange(found.shape[1]) < left[:, None])
    slopes = gradients(layer, features, mask=mask)
    assert all(np.isfinite(slope).all() for slope in slopes)
    assert not np.any(slopes[-1][~mask])


@every_option
def test_gradients_equal_slopes(random, options):
    layer, features = made(random, **options), random.normal(size=(2, 5, FREQUENCIES))
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)
    values = layer.get_weights()

    def loss():
        layer.set_weights(values)
        return float(projected(layer(features, mask=mask)))

    check_slopes(gradients(layer, features, mask=mask), loss, [*values, features])


@pytest.mark.parametrize("options", [option for option in OPTIONS if option.get("causal")])
@pytest.mark.parametrize("last", [1, 4])
def test_a_stream_has_the_outputs_of_the_whole(random, options, last):
    layer = made(random, "float32", **options)
    chunks = [layer.factor * 2, layer.factor, last]
    features = random.normal(size=(3, sum(chunks), FREQUENCIES)).astype("float32")
    lengths = np.array([sum(chunks), sum(chunks[:2]), layer.factor + 1])
    mask = np.arange(sum(chunks)) < lengths[:, None]
    state, outputs, start = layer.first_state(3), [], 0
    for size in chunks:
        here = slice(start, start + size)
        chunk, state = layer(features[:, here], mask=mask[:, here], state=state)
        outputs.append(chunk)
        start += size
    whole = layer(features, mask=mask)
    np.testing.assert_array_equal(np.concatenate(outputs, axis=1), whole)
    assert [tuple(part.shape[1:]) for part in state] == layer.state_shapes


def test_a_causal_output_depends_on_no_later_frame(random):
    layer = made(random, causal=True, activation="linear")
    features = random.normal(size=(1, 12, FREQUENCIES))
    changed = features.copy()
    changed[:, 8:] = 0.0
    np.testing.assert_array_equal(layer(changed)[:, :2], layer(features)[:, :2])
    assert np.abs(layer(changed)[:, 2] - layer(features)[:, 2]).max() > 1e-3


def test_a_model_reads_lengths_by_the_mask_and_loads_elsewhere(random, predict_elsewhere):
    features, mask = keras.Input((None, FREQUENCIES)), keras.Input((None,), dtype="bool")
    hidden = ConvolutionalSubsampling(2, name="subsampling")(features, mask=mask)
    model = keras.Model([features, mask], LSTM(3)(hidden))
    arrays = [random.normal(size=(2, 9, FREQUENCIES)), np.arange(9) < np.array([[9], [5]])]
    expected = model(arrays)
    close(model([arrays[0][1:, :5], arrays[1][1:, :5]]), expected[1:])
    (found,) = predict_elsewhere(model, arrays)
    close(found, expected)


def test_wrong_use_is_refused(random):
    with pytest.raises(UserError, match="expected depth of at least 1, got 0; write"):
        ConvolutionalSubsampling(depth=0)
    with pytest.raises(UserError, match="a kernel_size of at least the strides, 4, got 3; widen"):
        ConvolutionalSubsampling(kernel_size=3, stride=2, frequency_stride=4)
    layer = made(random)
    with pytest.raises(UserError, match=r"expected features \(batch, time, 5\), got \(1, 4, 6\)"):
        layer(np.zeros((1, 4, 6)))
    with pytest.raises(UserError, match="expected a causal layer for a stream, got causal=False"):
        layer(np.zeros((1, 4, 5)), state=layer.first_state(1))
    with pytest.raises(UserError, match="whose frequencies are known"):
        ConvolutionalSubsampling()(np.zeros((1, 4)))
