"""The decoder against NumPy, its own steps, finite differences and padding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.layers import AdditiveAttention, AttentionDecoder, GRUCell
from rnnpipe.layers.decoder import decoder as decoder_module
from tests.layers import reference
from tests.layers.comparing import close, gradients, projected
from tests.layers.decoder import oracles

OPTIONS = [
    {"architecture": "luong", "input_feeding": True, "output": "tanh"},
    {
        "architecture": "luong",
        "input_feeding": True,
        "output": "tanh",
        "cells": "l",
        "output_size": 5,
    },
    {
        "architecture": "luong",
        "input_feeding": True,
        "output": "maxout",
        "cells": "gl",
        "glimpses": 2,
    },
    {"architecture": "luong", "input_feeding": True, "output": "plain", "cells": "l"},
    {"architecture": "luong", "input_feeding": False, "output": "tanh", "tie_weights": True},
    {"architecture": "luong", "input_feeding": False, "output": "plain", "cells": "lg"},
    {"architecture": "bahdanau", "input_feeding": True, "output": "maxout", "tie_weights": True},
    {
        "architecture": "bahdanau",
        "input_feeding": True,
        "output": "deep",
        "cells": "lg",
        "glimpses": 2,
    },
    {"architecture": "top_down", "input_feeding": True, "output": "state", "cells": "ll"},
    {"architecture": "bahdanau", "input_feeding": False, "output": "plain"},
    {"architecture": "bahdanau", "input_feeding": True, "output": "tanh", "cells": "l"},
    {
        "architecture": "top_down",
        "input_feeding": False,
        "output": "deep",
        "cells": "lgl",
        "glimpses": 2,
    },
    {"architecture": "bahdanau", "input_feeding": True, "output": "state", "cells": "l"},
]
NAMES = ["-".join(str(value) for value in options.values()) for options in OPTIONS]
every_option = pytest.mark.parametrize("options", OPTIONS, ids=NAMES)


@every_option
def test_equals_the_oracle(make_decoder, states_for, tokens, memory, mask, options):
    decoder = make_decoder(dtype="float64", **options)
    states = states_for(decoder)
    for training in (False, True):
        logits, alignments = decoder(
            tokens, memory, mask=mask, initial_state=states, training=training
        )
        for n in range(len(tokens)):
            given = iter(state[n] for state in states)
            first = [
                [next(given) for _ in range(len(np.atleast_1d(cell.state_size)))]
                for cell in decoder.cell.cells
            ]
            expected = oracles.decode(
                tokens[n],
                memory[n][mask[n]].astype("float64"),
                first,
                oracles.weights_of(decoder),
                decoder.architecture,
                decoder.cell.input_feeding,
                decoder.cell.readout.kind,
            )
            close(logits[n], expected[0], 1e-10)
            close(alignments[n].numpy()[:, :, mask[n]], expected[1], 1e-10)
            assert not np.any(alignments[n].numpy()[:, :, ~mask[n]])


@every_option
def test_step_by_step_is_the_same(make_decoder, states_for, tokens, memory, mask, options):
    decoder = make_decoder(**options)
    states = states_for(decoder)
    logits, alignments = decoder(tokens, memory, mask=mask, initial_state=states)
    step, state = decoder.begin(memory, mask, states)
    for t in range(tokens.shape[1]):
        now, state, look = step(tokens[:, t], state)
        close(now, logits[:, t], 1e-6)
        close(look, alignments[:, t], 1e-6)


@pytest.mark.parametrize("options", OPTIONS[::3], ids=NAMES[::3])
def test_gradients_equal_finite_differences(random, options):
    kept = {name: value for name, value in options.items() if name not in ("cells", "glimpses")}
    cells, attention = [GRUCell(2, dtype="float64")], AdditiveAttention(2, dtype="float64")
    decoder = AttentionDecoder(4, 2, cells, attention, dtype="float64", **kept)
    tokens, mask = np.array([[1, 3, 1], [2, 1, 3]]), np.array([[1, 1, 0], [1, 1, 1]], bool)
    arrays = [random.normal(size=(2, 3, 2)), random.normal(size=(2, 2))]
    decoder.build(tokens.shape, arrays[0].shape)
    values = [random.normal(size=weight.shape) for weight in decoder.weights]
    decoder.set_weights(values)

    def run(memory, state, training=False):
        return decoder(tokens, memory, mask=mask, initial_state=[state], training=training)

    graph = tf.function(run)
    run.trainable_weights = decoder.trainable_weights  # type: ignore[attr-defined]  # as a layer
    found = [gradients(run, *arrays, training=training) for training in (False, True)]

    def loss():
        decoder.set_weights(values)
        return float(projected(graph(*map(tf.constant, arrays))))

    for plain, fast, array in zip(*found, [*values, *arrays], strict=True):
        expected = reference.numeric_gradient(loss, array)
        close(tf.convert_to_tensor(plain), expected, 1e-7)
        close(tf.convert_to_tensor(fast), expected, 1e-7)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", OPTIONS[::4], ids=NAMES[::4])
def test_padding_changes_nothing(random, make_decoder, options, training):
    decoder = make_decoder(**options)
    tokens, memory = random.integers(1, 11, (2, 4)), random.normal(size=(2, 6, 5))
    states = [random.normal(size=(2, size)) for size in decoder.state_sizes]
    logits, alignments = decoder(tokens, memory, initial_state=states, training=training)
    for source, target in ((3, 1), (1, 5)):
        found, looks = decoder(
            np.pad(tokens, [(0, 0), (0, target)]),
            np.pad(memory, [(0, 0), (0, source), (0, 0)], constant_values=np.nan),
            mask=np.arange(6 + source)[None].repeat(2, 0) < 6,
            initial_state=states,
            training=training,
        )
        close(found[:, :4], logits)
        close(looks[:, :4, :, :6], alignments)
        assert not np.any(looks[:, :, :, 6:])


def test_padding_has_no_gradient(random, make_decoder, tokens):
    decoder = make_decoder()
    memory, mask = (
        random.normal(size=(3, 6, 5)).astype("float32"),
        np.arange(6)[None] < [[6], [2], [0]],
    )
    memory[~mask] = np.nan

    def run(memory):
        return decoder(tokens, memory, mask=mask, training=True)

    run.trainable_weights = decoder.trainable_weights  # type: ignore[attr-defined]  # as a layer
    *found, of_memory = gradients(run, memory)
    assert all(np.isfinite(tf.convert_to_tensor(gradient)).all() for gradient in found)
    assert np.all(of_memory.numpy()[mask] != 0)
    assert not np.any(of_memory.numpy()[~mask])


@pytest.mark.parametrize(
    "options",
    [
        {"cells": "l"},
        {"architecture": "bahdanau", "output": "deep", "glimpses": 2},
        {"input_feeding": False, "output": "maxout", "cells": "l"},
    ],
)
def test_the_kernel_equals_the_plain_path(random, make_decoder, tokens, mask, monkeypatch, options):
    decoder, memory = make_decoder(dtype="float64", **options), random.normal(size=(3, 6, 5))
    states = [random.normal(size=(3, size)) for size in decoder.state_sizes]
    found = {}
    for name in ("fast", "plain"):
        if name == "plain":
            monkeypatch.setattr(decoder_module, "unroll_fused", lambda *_: None)

        def run(memory, *states):
            return decoder(tokens, memory, mask=mask, initial_state=states, training=True)

        run.trainable_weights = decoder.trainable_weights  # type: ignore[attr-defined]  # as a layer
        found[name] = [*run(memory, *states), *gradients(run, memory, *states)]
    for fast, plain in zip(found["fast"], found["plain"], strict=True):
        close(tf.convert_to_tensor(fast), tf.convert_to_tensor(plain), 1e-10)


@pytest.mark.parametrize("training", [False, True])
def test_a_grid_is_a_memory_too(random, make_decoder, tokens, training):
    grid = random.normal(size=(3, 2, 3, 5)).astype("float32")
    decoder = make_decoder(glimpses=2, memory=(None, None, None, 5))
    logits, alignments = decoder(tokens, grid, training=training)
    flat = decoder(tokens, grid.reshape(3, 6, 5), training=training)
    assert alignments.shape == (3, 4, 2, 2, 3)
    close(logits, flat[0])
    close(keras.ops.reshape(alignments, (3, 4, 2, 6)), flat[1])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("architecture", ["luong", "bahdanau"])
def test_decoders_of_other_sizes_share_no_graph(
    make_decoder, tokens, memory, monkeypatch, architecture, training
):
    sizes = (2, 3, 5)
    decoders = [
        make_decoder(attention=AdditiveAttention(size), architecture=architecture) for size in sizes
    ]
    found = [decoder(tokens, memory, training=training)[0] for decoder in decoders]
    monkeypatch.setattr(decoder_module, "unroll_fused", lambda *_: None)
    for decoder, logits in zip(decoders, found, strict=True):
        close(logits, decoder(tokens, memory, training=training)[0])


def test_rows_are_independent(make_decoder, tokens, memory, mask):
    decoder = make_decoder("lg")
    logits, alignments = decoder(tokens, memory, mask=mask)
    alone = decoder(tokens[1:2], memory[1:2], mask=mask[1:2])
    close(logits[1:2], alone[0])
    close(alignments[1:2], alone[1])


def test_dropout_only_in_training(make_decoder, tokens, memory):
    decoder = make_decoder(dropout=0.5, seed=1)
    still = decoder(tokens, memory)[0]
    close(decoder(tokens, memory, training=False)[0], still)
    assert np.abs(decoder(tokens, memory, training=True)[0] - still).max() > 1e-3


def test_dropout_of_cell_and_attention_draws_anew_each_time(random, tokens, memory):
    cell = GRUCell(7, dropout=0.4, recurrent_dropout=0.4, seed=1)
    decoder = AttentionDecoder(11, 8, cell, AdditiveAttention(9, dropout=0.4, seed=2))
    decoder.build(tokens.shape, memory.shape)
    decoder.set_weights([random.normal(size=w.shape) for w in decoder.weights])
    first, second = (decoder(tokens, memory, training=True)[1] for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    close(decoder(tokens, memory)[1], decoder(tokens, memory)[1], 0)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_supported(make_decoder, tokens, memory, mask, policy):
    full = make_decoder()
    half = make_decoder(dtype=policy)
    half.set_weights(full.get_weights())
    for training in (False, True):
        found = half(tokens, memory, mask=mask, training=training)
        for actual, expected in zip(found, full(tokens, memory, mask=mask), strict=True):
            assert keras.backend.standardize_dtype(actual.dtype) == half.compute_dtype
            close(keras.ops.cast(actual, "float32"), expected, 0.15)
