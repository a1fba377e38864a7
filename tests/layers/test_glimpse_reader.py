"""The reader in glimpses against NumPy, finite differences and padding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.layers import (
    AdditiveAttention,
    CoverageAttention,
    GlimpseReader,
    GRUCell,
    HardAttention,
    LSTMCell,
)
from tests.layers import reference
from tests.layers.comparing import check_slopes, close, gradients, projected

LOOKS, UNITS, FEATURES = 4, 5, 3


def make(random, cell=LSTMCell, dtype="float64", glimpses=1, memory=(None, None, FEATURES)):
    attention = AdditiveAttention(6, glimpses, dtype=dtype)
    reader = GlimpseReader(cell(UNITS, dtype=dtype), attention, LOOKS, dtype=dtype)
    reader.build(memory)
    reader.set_weights([random.normal(size=weight.shape) for weight in reader.weights])
    return reader


def oracle(reader, memory, states):
    """Outputs and alignments of one example, whose memory has readable positions only."""
    (cell,) = reader.cell.cells
    outputs, looks = [], []
    for _ in range(reader.steps):
        context, alignment = reference.additive_attention(
            states[0], list(memory), reader.cell.attention.get_weights()
        )
        step = reference.gru if len(states) == 1 else reference.lstm
        states = step(context[None], cell.get_weights(), [0], *states)[1:]
        outputs.append(states[0])
        looks.append(alignment)
    return np.array(outputs), np.array(looks)


@pytest.mark.parametrize(("cell", "glimpses"), [(LSTMCell, 1), (GRUCell, 2)])
def test_equals_the_oracle_whatever_is_masked(random, cell, glimpses):
    reader = make(random, cell, glimpses=glimpses)
    memory = random.normal(size=(2, 6, FEATURES))
    mask = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0]], bool)
    states = [random.normal(size=(2, size)) for size in reader.state_sizes]
    broken = np.where(mask[:, :, None], memory, np.nan)
    outputs, alignments = reader(broken, mask=mask, initial_state=states)
    for n in range(2):
        expected = oracle(reader, memory[n][mask[n]], tuple(state[n] for state in states))
        close(outputs[n], expected[0], 1e-10)
        close(alignments[n].numpy()[:, :, mask[n]], expected[1], 1e-10)
        assert not np.any(alignments[n].numpy()[:, :, ~mask[n]])


def test_a_grid_is_its_cells(random):
    reader = make(random)
    grid = random.normal(size=(2, 2, 4, FEATURES))
    outputs, alignments = reader(grid)
    flat, looks = reader(grid.reshape(2, 8, FEATURES))
    close(outputs, flat, 1e-12)
    close(alignments, looks.numpy().reshape(2, LOOKS, 1, 2, 4), 1e-12)
    close(outputs[0], oracle(reader, grid[0].reshape(8, -1), (np.zeros(UNITS),) * 2)[0], 1e-10)


def test_gradients_equal_finite_differences(random):
    reader = make(random)
    memory = random.normal(size=(2, 5, FEATURES))
    found = gradients(reader, memory)
    weights = reader.get_weights()

    def value():
        reader.set_weights(weights)
        return float(projected(reader(tf.constant(memory))))

    check_slopes(found, value, [*weights, memory])


def test_hard_glimpses_are_one_hot_and_sampled_in_training(random):
    reader = GlimpseReader(
        GRUCell(UNITS), HardAttention(AdditiveAttention(6), expected_share=0.0, seed=1), LOOKS
    )
    grid = random.normal(size=(3, 2, 4, FEATURES)).astype("float32")
    _, sure = reader(grid)
    _, drawn = reader(grid, training=True)
    _, again = reader(grid, training=True)
    for looks in (sure, drawn, again):
        samples = looks["samples"].numpy().reshape(3, LOOKS, 8)
        assert sorted(np.unique(samples)) == [0, 1]
        np.testing.assert_array_equal(samples.sum(axis=2), 1)
    best = sure["probabilities"].numpy().reshape(3, LOOKS, 8).argmax(axis=2)
    np.testing.assert_array_equal(sure["samples"].numpy().reshape(3, LOOKS, 8).argmax(axis=2), best)
    assert np.any(drawn["samples"] != again["samples"])


def test_coverage_accumulates_earlier_alignments(random):
    reader = GlimpseReader(GRUCell(UNITS), CoverageAttention(6), LOOKS)
    grid = random.normal(size=(2, 2, 4, FEATURES)).astype("float32")
    before = reader(grid)[1].numpy()
    weights = reader.cell.attention.coverage_kernel
    weights.assign(keras.ops.zeros_like(weights))
    after = reader(grid)[1].numpy()
    close(before[:, 0], after[:, 0], 1e-6)  # nothing is covered yet
    assert not np.allclose(before[:, 1], after[:, 1], atol=1e-4)


def test_a_saved_model_has_the_same_outputs(random, tmp_path):
    image = keras.Input((4, 4, FEATURES))
    outputs, alignments = GlimpseReader([GRUCell(4), LSTMCell(5)], CoverageAttention(6), 3)(image)
    model = keras.Model(image, {"outputs": outputs, "alignments": alignments})
    grid = random.normal(size=(2, 4, 4, FEATURES)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for name, values in model(grid).items():
        close(loaded(grid)[name], values, 1e-6)


def test_mistakes_are_reported(random):
    with pytest.raises(UserError, match="expected at least 1 step, got 0"):
        GlimpseReader(GRUCell(4), AdditiveAttention(4), steps=0)
    with pytest.raises(UserError, match="a recurrent cell"):
        GlimpseReader(keras.layers.Dense(4), AdditiveAttention(4))
    with pytest.raises(UserError, match=r"a mask over the memory's positions \(2, 6\)"):
        make(random)(np.zeros((2, 6, FEATURES)), mask=np.ones((2, 5), bool))
