"""What the recurrent layers share beyond Keras: speed, told mistakes, padding that cannot leak."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.checks import check_mask, check_sequences, check_shape, check_states
from rnnpipe.layers.cudnn import Packing, takes_cudnn
from rnnpipe.layers.kernels import find_kernel
from rnnpipe.layers.options import CheckedOptions


class Recurrent(CheckedOptions, keras.layers.RNN):
    """A `keras.layers.RNN` that is fast, checks its arguments and never reads masked inputs.

    Mixed in before a Keras layer (`class LSTM(Recurrent, keras.layers.LSTM)`), it keeps that
    layer's arguments, weights and results.
    """

    recurrence: str  # what the kernels call it

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Creates the weights for `(batch, time, features)`."""
        check_shape(self, tuple(sequences_shape))
        super().build(sequences_shape, initial_state_shape)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Checks the sequences before Keras does, then calls."""
        sequences = args[0] if args else kwargs.get("sequences")
        if sequences is not None and hasattr(sequences, "shape"):
            check_sequences(self, sequences)
        return super().__call__(*args, **kwargs)

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: Any = False,
    ) -> Any:
        """Runs over time; see the class for the arguments."""
        if initial_state is not None:
            check_states(self, sequences, initial_state)
        if mask is not None:
            check_mask(self, sequences, _only(mask))
        if sequences.shape[1] == 0:
            return self._call_on_nothing(sequences, initial_state)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def _call_on_nothing(self, sequences: Any, initial_state: Any) -> Any:
        """No step at all is one step that does not count."""
        step = ops.pad(sequences, [[0, 0], [0, 1], [0, 0]])
        mask = ops.zeros(ops.shape(step)[:2], "bool")
        found = super().call(step, initial_state=initial_state, mask=mask)
        if not self.return_sequences:
            return found
        return (found[0][:, :0], *found[1:]) if self.return_state else found[:, :0]

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: Any = False
    ) -> tuple[Any, Any, list[Any]]:
        """Last output, all outputs and last states, by the fastest way there is."""
        if mask is not None:
            mask = ops.cast(_only(mask), "bool")
            # A NaN in the padding would reach the weight gradients as 0 * NaN.
            sequences = ops.where(mask[:, :, None], sequences, ops.zeros_like(sequences))
        if takes_cudnn(self, mask) and mask is not None:
            return self._run_packed(sequences, initial_state, mask, training)
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

    def _run_packed(self, sequences: Any, initial_state: Any, mask: Any, training: Any) -> Any:
        """Keras' cuDNN loop over the steps that count, since it knows lengths only."""
        packing = Packing(mask, backwards=self.go_backwards)
        _, outputs, states = super().inner_loop(
            packing.pack(sequences), initial_state, packing.mask, training=training
        )
        some = ops.any(mask, axis=1, keepdims=True)
        states = [ops.where(some, new, old) for new, old in zip(states, initial_state, strict=True)]
        outputs = packing.unpack(outputs) if self.return_sequences else outputs
        return self._finish(outputs, states, ops.flip(mask, axis=1) if self.go_backwards else mask)

    def _finish(self, outputs: Any, states: list[Any], mask: Any) -> tuple[Any, Any, list[Any]]:
        """Outputs at masked steps as Keras has them: of the step before, or zero."""
        if not self.return_sequences:
            last = states[0]
            if mask is not None:
                seen = mask[:, -1] if self.zero_output_for_mask else ops.any(mask, axis=1)
                last = ops.where(seen[:, None], last, ops.zeros_like(last))
            return last, last[:, None, :], states
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
            and getattr(self.cell, "implementation", 2) == 2
            and self.compute_dtype == self.variable_dtype
            and self.compute_dtype in ("float32", "float64")
        )

    def _weights(self) -> tuple[Any, ...]:
        """Input kernel, input bias or None, and the recurrent weights, as the kernels take them."""
        return self.cell.kernel, self.cell.bias, self.cell.recurrent_kernel


def _only(mask: Any) -> Any:
    """The mask, which Keras may wrap in a list."""
    return mask[0] if isinstance(mask, Sequence) else mask
