"""The recurrences on TensorFlow and CPU.

Three things make them fast: the inputs of all steps are projected in one product before the loop;
the loop back is written by hand and every weight gradient is formed in one product after it; both
loops are compiled by XLA. XLA compiles anew for each shape, so where the length can vary it is
padded up to a few sizes; the loop itself stops at the true length.
"""

import functools
from typing import Any

import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.layers.kernels.loop import Loop
from rnnpipe.layers.kernels.recurrences import (
    GRURecurrence,
    LSTMRecurrence,
    Recurrence,
    Tensors,
    VanillaRecurrence,
)

# The lengths that are padded to, 8, 12, 16, 24, 32, ...: two for each doubling.
SIZES = sorted([2**n for n in range(3, 24)] + [3 * 2**n for n in range(2, 23)])


def on_cpu() -> bool:
    """Whether TensorFlow has no other device than the CPU."""
    return not tf.config.list_logical_devices("GPU") and not tf.config.list_logical_devices("TPU")


class Kernel:
    """A recurrence as the layers call it; the package tells of the call's arguments.

    Args:
        recurrence: what a step does.
    """

    def __init__(self, recurrence: Recurrence) -> None:
        self.recurrence = recurrence
        self.loop = Loop(recurrence)
        # A graph even where Keras runs eagerly: a tape cannot record through XLA.
        self.run = tf.function(self._run, autograph=False, reduce_retracing=True)

    def __call__(
        self, sequences: Any, mask: Any, weights: Any, states: Any, training: bool
    ) -> tuple[Any, list[Any]]:
        """Outputs `(time, batch, units)` and last states."""
        kernel, bias, *recurrent = weights
        sequences = tf.transpose(sequences, (1, 0, 2))
        length, batch, _ = tf.unstack(tf.shape(sequences))
        z = tf.matmul(_merge(sequences), kernel)
        if bias is not None:
            z = tf.nn.bias_add(z, bias)
        z = tf.reshape(z, (length, batch, z.shape[-1]))
        masks = () if mask is None else (tf.transpose(mask)[:, :, None],)
        states, recurrent = (
            tuple(tf.convert_to_tensor(array) for array in arrays) for arrays in (states, recurrent)
        )
        varies = tf.executing_eagerly() or sequences.shape[0] is None
        outputs, *last = self.run((z, states, recurrent), masks, training=training, varies=varies)
        return outputs, last

    def _run(
        self,
        inputs: tuple[Any, Tensors, Tensors],
        masks: Tensors,
        *,
        training: bool,
        varies: bool,
    ) -> Tensors:
        """Outputs and last states, differentiable by `inputs`: z, first states, weights."""
        length = tf.shape(inputs[0])[0]
        padding = _padding(length) if varies else None
        padded = tuple(_pad(mask, padding) for mask in masks)

        def loop(inputs: Any, save: bool) -> tuple[Any, Tensors, Tensors]:
            compiled = self.loop.train if save else self.loop.infer
            found = compiled((_pad(inputs[0], padding), *inputs[1:]), length, padded)
            # Else a tape of higher order follows what was saved back into XLA, which it cannot.
            (outputs, *last), saved = tf.nest.map_structure(tf.stop_gradient, found)
            return outputs[:length], tuple(last), saved

        def first_order(inputs: Any, outputs: Any, saved: Tensors, d_results: Tensors) -> Any:
            _, states, weights = inputs
            before = tf.concat([states[:1], outputs[:-1]], axis=0)
            each = (_pad(d_results[0], padding), _pad(before, padding), saved, padded)
            dz, d_states = self.loop.back(each, d_results[1:], weights, length)
            dz = dz[:length]
            saved = tuple(_merge(array[:length]) for array in saved)
            return dz, d_states, self.recurrence.weight_gradients(_merge(dz), saved, _merge(before))

        @tf.custom_gradient
        def differentiable(*inputs: Any) -> Any:
            outputs, last, saved = loop(inputs, training)

            @tf.custom_gradient
            def gradient(inputs: Any, d_results: Tensors) -> Any:
                kept = saved or loop(inputs, True)[2]
                first = first_order(inputs, outputs, kept, d_results)
                return first, _refuse_second_order

            return (outputs, *last), lambda *d_results: gradient(inputs, d_results)

        return differentiable(*inputs)


def _refuse_second_order(*_: Any) -> None:
    raise UserError(
        "rnnpipe.layers",
        "gradients of the first order",
        "gradients of gradients, through a compiled loop",
        "build the layer with unroll=True",
    )


def _merge(values: Any) -> Any:
    """`(time, batch, size)` to `(time * batch, size)`."""
    return tf.reshape(values, (-1, values.shape[2] or tf.shape(values)[2]))


def _padding(length: Any) -> Any:
    """How many steps to add, for a length that XLA has likely seen."""
    sizes = tf.constant(SIZES)
    return sizes[tf.searchsorted(sizes, length[None])[0]] - length


def _pad(values: Any, steps: Any) -> Any:
    if steps is None:
        return values
    return tf.pad(values, [[0, steps], *[[0, 0]] * (len(values.shape) - 1)])


@functools.cache
def make_kernel(recurrence: str) -> Kernel:
    """The kernel of `"lstm"`, `"gru"` or `"vanilla"`, shared by all layers of the process."""
    kinds: dict[str, type[Recurrence]]
    kinds = {"lstm": LSTMRecurrence, "gru": GRURecurrence, "vanilla": VanillaRecurrence}
    return Kernel(kinds[recurrence]())
