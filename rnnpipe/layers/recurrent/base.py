"""Base of the recurrent layers that stand in for those of Keras."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.kernels import RecurrentKernel, find_recurrent_kernel, is_overridden
from rnnpipe.layers.recurrent.checks import check_mask, check_sequences, check_shape, check_states
from rnnpipe.layers.recurrent.cudnn import Packing, cudnn_obstacle, wants_cudnn
from rnnpipe.layers.recurrent.obstacles import recurrent_obstacle
from rnnpipe.layers.recurrent.options import CheckedOptions, check_options
from rnnpipe.types import Nested, Shape, Tensor

_CALL_ARGUMENTS = ("sequences", "initial_state", "mask")


class Recurrent(CheckedOptions, keras.layers.RNN):
    """A `keras.layers.RNN` with fused kernels, which checks its arguments and masks its inputs.

    A mixin before a Keras layer (`class LSTM(Recurrent, keras.layers.LSTM)`), it keeps that
    layer's arguments, weights and results.

    Args:
        *args: those of the Keras layer.
        weight_drop: share of the recurrent weights that are dropped in training, the same ones at
            all steps of a batch; the others are scaled up.
        **kwargs: those of the Keras layer.

    Source: weight drop: Merity, Keskar and Socher, Regularizing and Optimizing LSTM Language
    Models, 2018, section 2; as DropConnect: Wan et al., Regularization of Neural Networks using
    DropConnect, 2013.
    """

    recurrence: str  # the name of its kernel
    keras_cell: type  # the cell whose equations the kernel has
    added_options = MappingProxyType({"weight_drop": 0.0})

    def __init__(self, *args: Any, weight_drop: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_options(f"{type(self).__name__} {self.name!r}", {"weight_drop": weight_drop})
        self.weight_drop = weight_drop

    def build(self, sequences_shape: Shape, initial_state_shape: Nested[Shape] = None) -> None:
        """Creates the weights for `(batch, time, features)`."""
        check_shape(self, tuple(sequences_shape))
        super().build(sequences_shape, initial_state_shape)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Checks the arguments, in symbolic calls too, which do not run `call`; then calls."""
        given = {**dict(zip(_CALL_ARGUMENTS, args, strict=False)), **kwargs}
        sequences = given.get("sequences")
        if sequences is not None and hasattr(sequences, "shape"):
            check_sequences(self, sequences)
            self._check_call(sequences, given.get("initial_state"), given.get("mask"))
        return super().__call__(*args, **kwargs)

    def _check_call(self, sequences: Tensor, states: Nested[Tensor], mask: Tensor) -> None:
        if states is not None:
            check_states(self, sequences, states)
        if mask is not None:
            check_mask(self, sequences, _only(mask))

    def call(
        self,
        sequences: Tensor,
        initial_state: Nested[Tensor] = None,
        mask: Tensor = None,
        training: bool = False,
        *,
        sequences_mask: Tensor = None,
    ) -> Nested[Tensor]:
        """Runs over time; see the class for the arguments."""
        # Where there is a state too, Keras passes the mask that sequences carry by this name only.
        mask = sequences_mask if mask is None else mask
        self._check_call(sequences, initial_state, mask)
        if sequences.shape[1] == 0:
            return call_without_steps(self, super().call, sequences, initial_state)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def inner_loop(
        self,
        sequences: Tensor,
        initial_state: Nested[Tensor],
        mask: Tensor,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Last output, all outputs and last states, by the fastest implementation there is."""
        if mask is not None:
            mask = ops.cast(_only(mask), "bool")
            # A NaN in the padding would reach the weight gradients as 0 * NaN.
            sequences = ops.where(mask[:, :, None], sequences, ops.zeros_like(sequences))
        if not (training and self.weight_drop):
            return self._run(sequences, initial_state, mask, training)
        with self._dropped_weights():
            return self._run(sequences, initial_state, mask, training)

    @contextmanager
    def _dropped_weights(self) -> Iterator[None]:
        """Puts recurrent weights of which some are zero in the place of the cell's own."""
        cell, kernel = self.cell, self.cell.recurrent_kernel
        # Not every backend drops of a variable itself.
        cell.recurrent_kernel = keras.random.dropout(
            ops.convert_to_tensor(kernel), self.weight_drop, seed=cell.seed_generator
        )
        try:
            yield
        finally:
            cell.recurrent_kernel = kernel

    def _run(
        self, sequences: Tensor, initial_state: Nested[Tensor], mask: Tensor, training: bool
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        if wants_cudnn(self):
            obstacle = cudnn_obstacle(self, mask)
            if obstacle is None:
                return self._run_cudnn(sequences, initial_state, mask, training)
            if self.use_cudnn is True or self.kernel_obstacle() is not None:
                warnings.warn(
                    f"{type(self).__name__} {self.name!r} runs without cuDNN, which is slower on a "
                    f"GPU: {obstacle}. Set use_cudnn=False to silence this warning.",
                    stacklevel=2,
                )
        if self.kernel_obstacle() is None:
            kernel = find_recurrent_kernel(self.recurrence, self.units)
            if kernel is not None:
                return self._run_kernel(kernel, sequences, initial_state, mask, training)
        # Past the inner loop of the Keras layer itself, which would try cuDNN first.
        return keras.layers.RNN.inner_loop(self, sequences, initial_state, mask, training=training)

    def _run_kernel(
        self,
        kernel: RecurrentKernel,
        sequences: Tensor,
        initial_state: Nested[Tensor],
        mask: Tensor,
        training: bool,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        if training and self.dropout:
            # One mask for all steps, as in the cell: (batch, 1, features).
            sequences = sequences * self.cell.get_dropout_mask(sequences[:, 0, :])[:, None, :]
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        sequences = ops.cast(sequences, self.compute_dtype)
        outputs, states = kernel(
            sequences, mask, self._kernel_weights(), initial_state, bool(training)
        )
        return self._mask_outputs(outputs, states, mask)

    def _run_cudnn(
        self, sequences: Tensor, initial_state: Nested[Tensor], mask: Tensor, training: bool
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Keras' cuDNN loop, over the unmasked steps: cuDNN supports lengths, not masks."""
        if mask is None:
            return super().inner_loop(sequences, initial_state, None, training=training)
        packing = Packing(mask, backwards=self.go_backwards)
        _, outputs, states = super().inner_loop(
            packing.pack(sequences), initial_state, packing.mask, training=training
        )
        any_step = ops.any(mask, axis=1, keepdims=True)
        states = [
            ops.where(any_step, new, old) for new, old in zip(states, initial_state, strict=True)
        ]
        outputs = packing.unpack(outputs) if self.return_sequences else outputs
        mask = ops.flip(mask, axis=1) if self.go_backwards else mask
        return self._mask_outputs(outputs, states, mask)

    def _mask_outputs(
        self, outputs: Tensor, states: list[Tensor], mask: Tensor
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Outputs at masked steps as in Keras: those of the step before, or zeros."""
        if not self.return_sequences:
            last = states[0]
            if mask is not None:
                seen = mask[:, -1] if self.zero_output_for_mask else ops.any(mask, axis=1)
                last = ops.where(seen[:, None], last, ops.zeros_like(last))
            return last, last[:, None, :], states
        if mask is not None:
            # Before the first unmasked step, kernels output the first state, Keras zeros.
            seen = mask if self.zero_output_for_mask else ops.cumsum(ops.cast(mask, "int32"), 1) > 0
            outputs = ops.where(seen[:, :, None], outputs, ops.zeros_like(outputs))
        return outputs[:, -1], outputs, states

    def kernel_obstacle(self) -> str | None:
        """Why the layer has no kernel here, or None if it has; see `rnnpipe.layers.kernels`."""
        return recurrent_obstacle(self)

    def served_by_cudnn(self) -> bool:
        """Whether calls without a mask run on cuDNN."""
        return wants_cudnn(self) and cudnn_obstacle(self, None) is None

    @property
    def has_own_cell(self) -> bool:
        """Whether a subclass or a user has replaced the cell, or a method of it."""
        return is_overridden(self.cell, self.keras_cell)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation: those of Keras, and what is added."""
        own = {"weight_drop": self.weight_drop} if self.weight_drop else {}
        return {**super().get_config(), **own}

    def _kernel_weights(self) -> tuple[Tensor, ...]:
        """Input kernel, input bias or None, and the recurrent weights, as the kernels take them."""
        return self.cell.kernel, self.cell.bias, self.cell.recurrent_kernel


def _only(mask: Nested[Tensor]) -> Tensor:
    """The mask, which Keras may wrap in a list."""
    return mask[0] if isinstance(mask, Sequence) else mask


def call_without_steps(
    layer: Any, call: Callable[..., Any], sequences: Tensor, initial_state: Nested[Tensor]
) -> Any:
    """Runs sequences of length 0 as one masked step, by the `call` of a recurrent layer."""
    step = ops.pad(sequences, [[0, 0], [0, 1], [0, 0]])
    mask = ops.zeros(ops.shape(step)[:2], "bool")
    results = call(step, initial_state=initial_state, mask=mask)
    if not layer.return_sequences:
        return results
    return (results[0][:, :0], *results[1:]) if layer.return_state else results[:, :0]
