"""What the recurrent layers share beyond Keras: told mistakes, and padding that cannot leak."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.faults import fault, shape_text, shapes_agree


class Recurrent(keras.layers.RNN):
    """A `keras.layers.RNN` that checks its arguments and never reads masked inputs.

    Mixed in before a Keras layer (`class LSTM(Recurrent, keras.layers.LSTM)`), it keeps that
    layer's arguments, weights and results.
    """

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

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: Any) -> Any:
        """Runs the loop over `sequences` whose masked steps are blanked."""
        if mask is not None:
            # A NaN in the padding would reach the weight gradients as 0 * NaN.
            mask = ops.cast(_only(mask), "bool")
            sequences = ops.where(mask[:, :, None], sequences, ops.zeros_like(sequences))
        return super().inner_loop(sequences, initial_state, mask, training=training)

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
