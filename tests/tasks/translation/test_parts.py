"""Every cell and every attention mechanism in a translator, by what a config says."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.parts.attention import AttentionOptions
from rnnpipe.parts.cells import CellOptions
from tests.tasks.translation.conftest import make_task_with

CELLS, MECHANISMS = [*CellOptions.kinds.load()], [*AttentionOptions.kinds.load()]
INPUTS = {"source": np.array([[4, 5, 6], [4, 7, 0]]), "target": np.array([[2, 4], [2, 5]])}
TARGETS = np.array([[4, 3], [5, 3]])


def make_trainer(encoder, decoder):
    task = make_task_with({"encoder": encoder, "decoder": decoder})
    model = task._build(9, 9)
    trainer = task.wrap_model(model)
    trainer.compile(**task.compile_options(model))
    return trainer


def check_gradients(trainer):
    """The loss is finite, and all weights have gradients."""
    with tf.GradientTape() as tape:
        outputs = trainer(INPUTS, training=True)
        loss = trainer.compute_loss(INPUTS, TARGETS, outputs)
    assert np.isfinite(loss)
    weights = trainer.trainable_weights
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    for weight, gradient in zip(weights, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(tf.convert_to_tensor(gradient)).all(), weight.path


@pytest.mark.parametrize("attention", MECHANISMS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_decodes_with_every_mechanism(cell, attention):
    decoder: dict[str, Any] = {"cell": {"kind": cell, "units": 6}, "attention": {"kind": attention}}
    if cell == "att2in":
        decoder["architecture"] = "bahdanau"
    if cell == "projection_lstm":
        decoder["cell"]["projection"] = 6
    # Dot products need queries as wide as the memory.
    check_gradients(make_trainer({"cell": {"kind": "vanilla", "units": 3}}, decoder))


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "att2in"])
def test_every_cell_encodes(cell):
    encoder = {"cell": {"kind": cell, "units": 4}, "bidirectional": False}
    check_gradients(make_trainer(encoder, {"cell": {"units": 6}, "attention": {"units": 4}}))


@pytest.mark.parametrize(
    ("output", "bridge"),
    [
        ("tanh", "dense"),
        ("deep", "copy"),
        ("maxout", "zeros"),
        ("plain", "dense"),
        ("state", "copy"),
    ],
)
@pytest.mark.parametrize("architecture", ["luong", "bahdanau", "top_down"])
def test_every_architecture_has_every_readout_and_bridge(architecture, output, bridge):
    depth = 2 if architecture == "top_down" else 1
    decoder = {"architecture": architecture, "output": output, "bridge": bridge, "depth": depth}
    decoder |= {"cell": {"units": 6}, "attention": {"units": 4}, "tie_weights": False}
    encoder = {"cell": {"kind": "gru", "units": 3}, "depth": depth}
    model = make_trainer(encoder, decoder)
    assert np.isfinite(model(INPUTS)).all()
