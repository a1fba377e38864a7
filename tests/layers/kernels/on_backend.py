"""Our recurrent layers against those of Keras, on the backend of this process, JAX or PyTorch."""

import contextlib
import functools

import keras
import numpy as np
import pytest
from keras import ops, tree

from rnnpipe.layers import GRU, LSTM, AdditiveAttention, AttentionDecoder, GRUCell, VanillaRNN
from rnnpipe.layers.kernels import explain

BACKEND = keras.backend.backend()
TIME, FEATURES, UNITS = 5, 4, 3
FEW, MANY = 3, 9  # rows, for which JAX projects the inputs before the scan and in it

PAIRS = {
    "lstm": (LSTM, keras.layers.LSTM),
    "gru": (GRU, keras.layers.GRU),
    "vanilla": (VanillaRNN, keras.layers.SimpleRNN),
}

MASKS = {
    "none": None,
    "right": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]],
    "left": [[0, 0, 0, 0, 1], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1]],
    "holes": [[0, 1, 1, 0, 1], [1, 0, 0, 0, 1], [0, 0, 1, 1, 0]],
    "empty rows": [[0, 0, 0, 0, 0], [1, 1, 0, 1, 0], [0, 0, 0, 0, 0]],
    "all masked": [[0, 0, 0, 0, 0]] * 3,
}

WHOLE = {"return_sequences": True, "return_state": True}

CASES = [
    (
        WHOLE,
        [
            *((FEW, mask, True) for mask in MASKS),
            (FEW, "none", False),
            (FEW, "holes", False),
            (MANY, "none", True),
            (MANY, "empty rows", True),
            (MANY, "empty rows", False),
        ],
    ),
    ({}, [(MANY, "none", True)]),
    ({"return_state": True, "use_bias": False}, [(FEW, "right", True)]),
    ({"return_sequences": True, "go_backwards": True}, [(FEW, "holes", True)]),
    ({"return_sequences": True, "zero_output_for_mask": True}, [(FEW, "left", True)]),
    ({"return_sequences": True, "dropout": 0.5, "seed": 11}, [(FEW, "right", True)]),
]
"""Options of a layer, and its calls: rows, mask, and whether it is training."""

TOLERANCES = {"mixed_bfloat16": 0.04, "mixed_float16": 0.006}


def double_precision():
    """A block in which there is float64."""
    if BACKEND == "torch":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)


def draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def mask_of(name, rows):
    mask = MASKS[name]
    return None if mask is None else np.tile(np.array(mask, bool), (rows // 3, 1))


def fill(layer):
    """Weights that are all distinct."""
    layer.build((None, None, FEATURES))
    random = np.random.default_rng(2)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def inputs_of(layer, rows):
    """Sequences and first states."""
    states = [draw(4 + index, rows, UNITS) for index, _ in enumerate(layer.state_size)]
    return [draw(3, rows, TIME, FEATURES), *states]


def after_first_step(layer, outputs, mask):
    """Outputs, those before the first unmasked step as zeros: Keras has first states on JAX."""
    if mask is None or not layer.return_sequences:
        return outputs
    counts = ops.cumsum(ops.cast(ops.flip(mask, 1) if layer.go_backwards else mask, "int32"), 1)
    sequence, *states = tree.flatten(outputs)
    return [ops.where(counts[:, :, None] > 0, sequence, ops.zeros_like(sequence)), *states]


def loss(layer, outputs, mask, dtype):
    """A share of every number of every output."""
    outputs = tree.flatten(after_first_step(layer, outputs, mask))
    shares = [ops.convert_to_tensor(draw(7, *output.shape), dtype) for output in outputs]
    outputs = [ops.cast(output, dtype) for output in outputs]
    return sum(ops.sum(output * share) for output, share in zip(outputs, shares, strict=True))


def results(layer, rows, mask, *, training=True, dtype="float32"):
    """Outputs, then gradients of weights, sequences and first states, by name."""
    inputs = [ops.convert_to_tensor(array, dtype) for array in inputs_of(layer, rows)]
    take = _jax_gradients if BACKEND == "jax" else _torch_gradients
    outputs, gradients = take(layer, inputs, mask, training, dtype)
    outputs = tree.flatten(after_first_step(layer, outputs, mask))
    names = [*(weight.name for weight in layer.trainable_weights), "x", "h", "c"]
    return {
        **{f"output {n}": array for n, array in enumerate(outputs)},
        **dict(zip(names, gradients, strict=False)),
    }


def _jax_gradients(layer, inputs, mask, training, dtype):
    run = _compile_for_jax(layer, training, dtype, len(inputs))
    weights = [weight.value for weight in layer.trainable_variables]
    (_, outputs), (weights, *others) = run(weights, *inputs, mask)
    return outputs, [*weights, *others]


@functools.cache
def _compile_for_jax(layer, training, dtype, count):
    import jax

    fixed = [variable.value for variable in layer.non_trainable_variables]

    def run(weights, x, *states_and_mask):
        *states, mask = states_and_mask
        options = {"initial_state": states, "mask": mask, "training": training}
        outputs, _ = layer.stateless_call(weights, fixed, x, **options)
        return loss(layer, outputs, mask, dtype), outputs

    return jax.jit(jax.value_and_grad(run, range(1 + count), has_aux=True))


def _torch_gradients(layer, inputs, mask, training, dtype):
    import torch

    x, *states = inputs = [array.requires_grad_() for array in inputs]
    outputs = layer(x, initial_state=states, mask=mask, training=training)
    weights = [weight.value for weight in layer.trainable_weights]
    mask = None if mask is None else ops.convert_to_tensor(mask)
    gradients = torch.autograd.grad(
        loss(layer, outputs, mask, dtype),
        [*weights, *inputs],
        allow_unused=True,
        materialize_grads=True,
    )
    return outputs, gradients


def to_numpy(array):
    return np.asarray(ops.convert_to_numpy(array), "float64")


def check_equal_to_keras(kind):
    """Outputs and all gradients, for every kind of mask and option, in training or not."""
    for options, calls in CASES:
        layer, original = (fill(one(UNITS, **options)) for one in PAIRS[kind])
        assert list(explain(layer).values()) == ["kernel"]
        for rows, mask, training in calls:
            values = mask_of(mask, rows)
            expected = results(original, rows, values)
            found = results(layer, rows, values, training=training)
            assert found.keys() == expected.keys()
            for name, array in found.items():
                peer = to_numpy(expected[name])
                np.testing.assert_allclose(
                    to_numpy(array),
                    peer,
                    rtol=1e-4,
                    atol=2e-5 * max(1.0, np.abs(peer).max(initial=0)),
                    err_msg=f"{name} of {rows} rows, mask {mask}, {options}, {training=}",
                )


def check_derivatives(kind):
    """Of JAX, those of forward mode without training, and gradients of gradients."""
    import jax

    layer = fill(PAIRS[kind][0](UNITS))
    fixed = [variable.value for variable in layer.non_trainable_variables]
    weights = [weight.value for weight in layer.trainable_variables]
    x = ops.convert_to_tensor(inputs_of(layer, FEW)[0], "float32")

    def total(x, training):
        outputs, _ = layer.stateless_call(weights, fixed, x, training=training)
        return ops.sum(outputs**2)

    def slope(x, training):
        return ops.sum(jax.grad(total)(x, training) ** 2)

    _, forward = jax.jvp(lambda x: total(x, False), (x,), (x,))
    np.testing.assert_allclose(forward, ops.sum(jax.grad(total)(x, True) * x), rtol=1e-4)
    second, expected = (jax.grad(slope)(x, training) for training in (True, False))
    np.testing.assert_allclose(second, expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(TypeError, match="custom_vjp"):
        jax.jvp(lambda x: total(x, True), (x,), (x,))


def check_slopes_in_float64(kind):
    """Gradients are the slopes of the outputs, in random directions of all weights and inputs."""
    with double_precision():
        layer = fill(PAIRS[kind][0](UNITS, dtype="float64", **WHOLE))
        for rows in (FEW, MANY):
            mask = mask_of("holes", rows)
            arrays = [*layer.get_weights(), *inputs_of(layer, rows)]
            directions = [draw(20 + n, *array.shape) for n, array in enumerate(arrays)]

            def at(step, arrays=arrays, directions=directions, mask=mask):
                moved = [a + step * d for a, d in zip(arrays, directions, strict=True)]
                count = len(layer.weights)
                layer.set_weights(moved[:count])
                x, *states = (ops.convert_to_tensor(a, "float64") for a in moved[count:])
                outputs = layer(x, initial_state=states, mask=mask)
                return sum(np.sum(to_numpy(out) * draw(7, *out.shape)) for out in outputs)

            slope = (at(1e-6) - at(-1e-6)) / 2e-6
            at(0.0)
            found = list(results(layer, rows, mask, dtype="float64").values())[-len(arrays) :]
            total = sum(np.sum(to_numpy(g) * d) for g, d in zip(found, directions, strict=True))
            np.testing.assert_allclose(total, slope, rtol=1e-7)


def check_eager_calls(kind):
    """Equal to those in a compiled function."""
    layer = fill(PAIRS[kind][0](UNITS, **WHOLE))
    for mask in (None, mask_of("left", FEW)):
        x, *states = inputs_of(layer, FEW)
        outputs = layer(x, initial_state=states, mask=mask)
        expected = results(layer, FEW, mask, training=False)
        for n, output in enumerate(outputs):
            peer = to_numpy(expected[f"output {n}"])
            np.testing.assert_allclose(to_numpy(output), peer, atol=1e-5)


def check_weight_drop(kind):
    """Dropped weights are those of a layer that has only the others."""
    ours, _ = PAIRS[kind]
    layer = fill(ours(UNITS, weight_drop=0.4, seed=4, **WHOLE))
    plain = fill(ours(UNITS, **WHOLE))
    kernel = plain.cell.recurrent_kernel
    ones = ops.ones(kernel.shape)
    left = keras.random.dropout(ones, 0.4, seed=keras.random.SeedGenerator(4))
    assert 0 < float(ops.sum(ops.cast(left == 0, "float32"))) < ops.size(left)
    kernel.assign(kernel * left)
    x, mask = draw(3, FEW, TIME, FEATURES), mask_of("holes", FEW)
    for found, expected in zip(
        layer(x, mask=mask, training=True), plain(x, mask=mask, training=True), strict=True
    ):
        np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-6)


def check_mixed_precision(kind):
    """Near full precision, with gradients of the weights' own dtype."""
    ours, _ = PAIRS[kind]
    for policy, tolerance in TOLERANCES.items():
        full, half = (fill(ours(UNITS, dtype=dtype, **WHOLE)) for dtype in ("float32", policy))
        assert list(explain(half).values()) == ["kernel"]
        mask = mask_of("empty rows", MANY)
        found, expected = (results(one, MANY, mask) for one in (half, full))
        for name, array in found.items():
            wide = to_numpy(expected[name])
            is_output = name.startswith("output")
            dtype = half.compute_dtype if is_output else "float32"
            assert keras.backend.standardize_dtype(array.dtype) == dtype
            error = np.linalg.norm(to_numpy(array) - wide) / np.linalg.norm(wide)
            assert error < tolerance, (policy, name, error)


def check_lengths_and_rows(kind):
    """Chunks continue from states; no row, no step and a single one work."""
    layer = fill(PAIRS[kind][0](UNITS, **WHOLE))
    x = draw(3, FEW, TIME, FEATURES).astype("float32")
    whole, *last = layer(x)
    first, *states = layer(x[:, :2])
    second, *states = layer(x[:, 2:], initial_state=states)
    np.testing.assert_allclose(
        to_numpy(ops.concatenate([first, second], 1)), to_numpy(whole), atol=1e-6
    )
    for found, expected in zip(states, last, strict=True):
        np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=1e-6)
    for rows, steps in ((0, TIME), (FEW, 0), (1, 1)):
        for mask in (None, np.ones((rows, steps), bool)):
            outputs = layer(x[:rows, :steps], mask=mask)[0]
            assert tuple(outputs.shape) == (rows, steps, UNITS)


def check_padding_is_never_read(kind):
    """Even a NaN in it changes no output and no gradient."""
    layer = fill(PAIRS[kind][0](UNITS, **WHOLE))
    mask = mask_of("holes", FEW)
    results_of = [results(layer, FEW, mask)]
    original, nan = globals()["draw"], float("nan")

    def draw_nan(seed, *shape):
        array = original(seed, *shape)
        return np.where(mask[:, :, None], array, nan) if seed == 3 else array

    globals()["draw"] = draw_nan
    try:
        results_of.append(results(layer, FEW, mask))
    finally:
        globals()["draw"] = original
    for found, expected in zip(*(each.values() for each in results_of), strict=True):
        np.testing.assert_array_equal(to_numpy(found), to_numpy(expected))


def check_decoders_step():
    """An attention decoder has no kernel, and says so."""
    decoder = AttentionDecoder(9, 5, GRUCell(4), AdditiveAttention(4))
    decoder(np.ones((2, 3), "int32"), np.ones((2, 5, 4), "float32"))
    assert decoder.kernel_obstacle() == f"there is no decoder kernel for the backend {BACKEND}"
