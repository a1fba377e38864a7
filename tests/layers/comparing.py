"""How tests of the layers compare: outputs and gradients, against numbers or another layer."""

import keras
import numpy as np
import tensorflow as tf


def built(layer, values, features):
    """The layer, built for `features` and holding `values`."""
    layer.build((None, None, features))
    layer.set_weights(values)
    return layer


def close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(actual), expected, rtol=tolerance, atol=tolerance
    )


def all_close(actual, expected, tolerance=1e-5):
    for one, other in zip(actual, expected, strict=True):
        close(one, other, tolerance)


def projected(outputs):
    """A scalar to which every number of every output contributes its own share."""
    random = np.random.default_rng(3)
    return sum(
        tf.reduce_sum(output * tf.constant(random.normal(size=output.shape), output.dtype))
        for output in tf.nest.flatten(outputs)
    )


def gradients(layer, *inputs, **options):
    """Gradients of `projected` outputs, for the layer's weights and its inputs."""
    tensors = [tf.constant(array) for array in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = projected(layer(*tensors, **options))
    return tape.gradient(loss, [*(w.value for w in layer.trainable_weights), *tensors])


def filled(layer, random, features):
    """The layer, built for `features`, with weights that are all distinct."""
    layer.build((None, None, features))
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def check_gradients(layer, values, x, *, training, **options):
    """Compares gradients of a layer, for its weights `values` and its input, with their slopes."""
    built(layer, values, x.shape[-1])

    def loss():
        layer.set_weights(values)
        return float(projected(layer(x, **options)))

    check_slopes(gradients(layer, x, training=training, **options), loss, [*values, x])


def check_slopes(found, function, arrays, tolerance=1e-7, step=1e-5):
    """Compares gradients of `function`, which reads `arrays`, with its slopes in random directions.

    Three directions with a share of every entry for each array: a wrong entry shows in all three.
    """
    random = np.random.default_rng(11)
    for gradient, array in zip(found, arrays, strict=True):
        start = array.copy()
        for _ in range(3):
            direction = random.normal(size=array.shape)
            array[...] = start + step * direction
            above = function()
            array[...] = start - step * direction
            below = function()
            array[...] = start
            close(np.sum(gradient * direction), (above - below) / (2 * step), tolerance)
