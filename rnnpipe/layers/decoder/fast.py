"""The fast way through all steps of a decoder, where there is one for its options."""

import importlib
from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention import AdditiveAttention
from rnnpipe.layers.decoder.cell import AttentionCell
from rnnpipe.layers.decoder.structures import Outputs, Source, State, nothing
from rnnpipe.layers.kernels import on_gpu

CELLS = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}


def run_fast(cell: AttentionCell, words: Any, source: Source, state: State, training: Any) -> Any:
    """What all steps find, as `run` of the cell itself gives it, or None.

    There is a fast way on TensorFlow and CPU for one GRU or LSTM with its usual options and
    additive attention, in float32 or float64.

    Args:
        cell: the built cell.
        words: `(batch, time, features)`.
        source: what does not change.
        state: the first state.
        training: whether dropout is on and gradients are likely to be asked for.
    """
    if keras.backend.backend() != "tensorflow" or on_gpu():
        return None
    recurrence = _recurrence(cell)
    if recurrence is None or not _suits(cell.attention, source, training):
        return None
    recurrent, attention, dense = cell.cells[0], cell.attention, cell.readout.dense
    sizes = (recurrent.units, attention.glimpses, cell.context_size, cell.fed_size)
    module = importlib.import_module("rnnpipe.layers.kernels.decoder")
    kernel = module.make_kernel(recurrence, cell.looks_before, sizes)
    weights = (
        recurrent.kernel,
        *_biases(recurrence, recurrent),
        (attention.query_kernel, attention.score_kernel),
        (dense.kernel[: recurrent.units], dense.kernel[recurrent.units :], dense.bias)
        if cell.feeds_readout
        else (),
    )
    mask = None if nothing(source.mask) else source.mask
    output, context, alignments, readout = kernel(
        words, state.cells[0], (source.keys, source.memory, mask), weights, bool(training)
    )
    positions = ops.shape(source.memory)[1:-1]
    alignments = ops.reshape(alignments, (*ops.shape(alignments)[:3], *positions))
    return Outputs(output, context, alignments, readout)


def _recurrence(cell: AttentionCell) -> str | None:
    """The name of the only cell, if it does what Keras' own does, with its usual options."""
    (recurrent, *more) = cell.cells
    exact = cell.compute_dtype == cell.variable_dtype
    if more or not exact or cell.compute_dtype not in ("float32", "float64"):
        return None
    for name, kind in CELLS.items():
        if getattr(type(recurrent), "call", None) is kind.call:
            usual = (
                recurrent.activation is keras.activations.tanh
                and recurrent.recurrent_activation is keras.activations.sigmoid
                and not recurrent.dropout
                and not recurrent.recurrent_dropout
                and getattr(recurrent, "reset_after", True)
                and recurrent.dtype_policy == cell.dtype_policy
            )
            return name if usual else None
    return None


def _suits(attention: Any, source: Source, training: Any) -> bool:
    """Whether the mechanism is additive attention as in the paper, over one memory."""
    return (
        type(attention) is AdditiveAttention
        and attention.activation is keras.activations.tanh
        and not attention.normalize
        and not (training and attention.dropout.rate)
        and attention.compute_dtype == attention.variable_dtype == source.memory.dtype
    )


def _biases(recurrence: str, cell: Any) -> tuple[Any, tuple[Any, ...]]:
    """The bias of the input, or None, and the recurrent weights, as the kernels take them."""
    if recurrence == "lstm":
        return cell.bias, (cell.recurrent_kernel,)
    bias = ops.zeros((2, 3 * cell.units), cell.dtype) if cell.bias is None else cell.bias
    return bias[0], (cell.recurrent_kernel, bias[1])
