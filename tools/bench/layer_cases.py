"""The forward pass and the training step of a layer, on the backend in use, as timed cases."""

from typing import Any

import keras

from rnnpipe.layers.kernels import computing_here
from tools.bench.interleaved import Case, running


def forward(layer: Any, inputs: Any) -> Case:
    """The outputs, as `predict` computes them."""
    return _FORWARD[keras.backend.backend()](layer, inputs)


def train(layer: Any, inputs: Any) -> Case:
    """The gradients of inputs and weights, as a layer inside a model computes them."""
    return _TRAIN[keras.backend.backend()](layer, inputs)


def _forward_tensorflow(layer: Any, inputs: Any) -> Case:
    import tensorflow as tf

    @tf.function(autograph=False)
    def graph() -> Any:
        with computing_here():
            outputs = layer(inputs, training=False)
        return outputs[0, 0, 0], outputs

    return running(graph)


def _train_tensorflow(layer: Any, inputs: Any) -> Case:
    import tensorflow as tf

    @tf.function
    def graph() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.square(layer(inputs, training=True)))
        gradients = tape.gradient(loss, [inputs, *(w.value for w in layer.trainable_weights)])
        return gradients[0][0, 0, 0], gradients

    return running(graph)


def _forward_jax(layer: Any, inputs: Any) -> Case:
    import jax

    weights, call = _stateless(layer, training=False)
    compiled = jax.jit(call)
    return lambda: jax.block_until_ready(compiled(weights, inputs))


def _train_jax(layer: Any, inputs: Any) -> Case:
    import jax
    import jax.numpy as jnp

    weights, call = _stateless(layer, training=True)
    compiled = jax.jit(jax.grad(lambda *given: jnp.sum(call(*given) ** 2), (0, 1)))
    return lambda: jax.block_until_ready(compiled(weights, inputs))


def _stateless(layer: Any, *, training: bool) -> Any:
    fixed = [variable.value for variable in layer.non_trainable_variables]

    def call(weights: Any, inputs: Any) -> Any:
        return layer.stateless_call(weights, fixed, inputs, training=training)[0]

    return [weight.value for weight in layer.trainable_variables], call


def _forward_torch(layer: Any, inputs: Any) -> Case:
    import torch

    def run() -> Any:
        with torch.no_grad():
            return layer(inputs, training=False)[0, 0, 0].item()

    return run


def _train_torch(layer: Any, inputs: Any) -> Case:
    import torch

    inputs = inputs.clone().requires_grad_()
    watched = [inputs, *(weight.value for weight in layer.trainable_weights)]

    def run() -> Any:
        loss = layer(inputs, training=True).square().sum()
        return torch.autograd.grad(loss, watched)[0][0, 0, 0].item()

    return run


_FORWARD = {"tensorflow": _forward_tensorflow, "jax": _forward_jax, "torch": _forward_torch}
_TRAIN = {"tensorflow": _train_tensorflow, "jax": _train_jax, "torch": _train_torch}
