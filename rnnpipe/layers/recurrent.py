"""What the recurrent layers share beyond Keras: speed, told mistakes, padding that cannot leak."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.faults import fault, shape_text, shapes_agree
from rnnpipe.layers.kernels import find_kernel


class Recurrent(keras.layers.RNN):
    """A `keras.layers.RNN` that is fast, checks its arguments and never reads masked inputs.

    Mixed in before a Keras layer (`class LSTM(Recurrent, keras.layers.LSTM)`), it keeps that
    layer's arguments, weights and results.
    """

    recurrence: str  # what the kernels call it

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Creates the weights for `(batch, time, features)`."""
        super().build(sequences_shape, initial_state_shape)
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: sequences_shape[-1]})

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: Any = False,
    ) -> Any:
        """Runs over time; see the class for the arguments."""
        if initial_state is not None:
            self._check_states(sequences, initial_state)
        if mask is not None:
            self._check_mask(sequences, mask)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: Any = False
    ) -> tuple[Any, Any, list[Any]]:
        """Last output, all outputs and last states, by the fastest way there is."""
        if mask is not None:
            mask = ops.cast(_only(mask), "bool")
            # A NaN in the padding would reach the weight gradients as 0 * NaN.
            sequences = ops.where(mask[:, :, None], sequences, ops.zeros_like(sequences))
        kernel = find_kernel(self.recurrence, self.units) if self._suits_kernel() else None
        if kernel is None:
            return super().inner_loop(sequences, initial_state, mask, training=training)
        if training and self.dropout:
            # One mask for all steps, as in the cell: (batch, 1, features).
            sequences = sequences * self.cell.get_dropout_mask(sequences[:, 0, :])[:, None, :]
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        outputs, states = kernel(
            ops.cast(sequences, self.compute_dtype),
            mask,
            self._weights(),
            initial_state,
            bool(training),
        )
        return self._finish(outputs, states, mask)

    def _finish(self, outputs: Any, states: list[Any], mask: Any) -> tuple[Any, Any, list[Any]]:
        """Outputs at masked steps as Keras has them: of the step before, or zero."""
        if not self.return_sequences:
            last = states[0]
            if mask is not None:
                seen = mask[:, -1] if self.zero_output_for_mask else ops.any(mask, axis=1)
                last = ops.where(seen[:, None], last, ops.zeros_like(last))
            return last, last[:, None, :], states
        outputs = ops.transpose(outputs, (1, 0, 2))
        if mask is not None:
            # Before the first step that counts, a kernel gives the first state, Keras zero.
            seen = mask if self.zero_output_for_mask else ops.cumsum(ops.cast(mask, "int32"), 1) > 0
            outputs = ops.where(seen[:, :, None], outputs, ops.zeros_like(outputs))
        return outputs[:, -1], outputs, states

    def _suits_kernel(self) -> bool:
        """Whether the options are those of the kernels: tanh, sigmoid and one step equation."""
        return (
            self.cell.activation is keras.activations.tanh
            and not self.cell.recurrent_dropout
            and not self.unroll
            and getattr(self, "use_cudnn", "auto") is not True
            and getattr(self.cell, "implementation", 2) == 2
            and self.compute_dtype == self.variable_dtype
            and self.compute_dtype in ("float32", "float64")
        )

    def _weights(self) -> tuple[Any, ...]:
        """Input kernel, input bias or None, and the recurrent weights, as the kernels take them."""
        return self.cell.kernel, self.cell.bias, self.cell.recurrent_kernel

    def _check_states(self, sequences: Any, initial_state: Any) -> None:
        states = initial_state if isinstance(initial_state, Sequence) else [initial_state]
        expected = [(sequences.shape[0], size) for size in self.state_size]
        if len(states) != len(expected) or not all(
            shapes_agree(state.shape, shape) for state, shape in zip(states, expected, strict=True)
        ):
            raise fault(
                self,
                f"initial_state of {len(expected)} tensors of shapes {expected}",
                f"{len(states)} of {[tuple(state.shape) for state in states]}",
                "pass the states that return_state=True gives, in their order",
            )

    def _check_mask(self, sequences: Any, mask: Any) -> None:
        mask = _only(mask)
        if not shapes_agree(mask.shape, sequences.shape[:2]):
            raise fault(
                self,
                f"a mask of shape (batch, time) = {tuple(sequences.shape[:2])}",
                shape_text(mask),
                "pass one boolean for each step, True where it counts",
            )


def _only(mask: Any) -> Any:
    """The mask, which Keras may wrap in a list."""
    return mask[0] if isinstance(mask, Sequence) else mask
