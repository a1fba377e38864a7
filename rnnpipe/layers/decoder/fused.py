"""All steps of a decoder in one fused kernel, where there is one for its options."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.attention import AdditiveAttention
from rnnpipe.layers.decoder.bahdanau import BahdanauCell
from rnnpipe.layers.decoder.cell import AttentionCell
from rnnpipe.layers.decoder.luong import LuongCell
from rnnpipe.layers.decoder.readout import Readout
from rnnpipe.layers.decoder.structures import DecoderState, Memory, StepOutputs
from rnnpipe.layers.kernels import find_decoder_kernel, is_overridden
from rnnpipe.nested import is_empty
from rnnpipe.types import Tensor

RECURRENT_CELLS = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}
ARCHITECTURES: dict[type[AttentionCell], str] = {LuongCell: "luong", BahdanauCell: "bahdanau"}


def unroll_fused(
    cell: AttentionCell, words: Tensor, memory: Memory, state: DecoderState, training: bool
) -> StepOutputs | None:
    """The outputs of all steps, equal to those of `cell.unroll`, or None without a kernel.

    Kernels exist for one GRU or LSTM cell with its default options and additive attention, in
    float32 or float64.

    Args:
        cell: the built cell.
        words: `(batch, time, features)`.
        memory: what the attention reads.
        state: the first state.
        training: whether dropout is on and gradients are likely to be computed.
    """
    architecture, recurrence = ARCHITECTURES.get(type(cell)), _recurrence(cell)
    if architecture is None or recurrence is None or not _supports(cell, memory, training):
        return None
    recurrent, attention = cell.cells[0], cell.attention
    # All sizes of the loop's weights: graphs shared by decoders of other sizes lose static shapes.
    attention_sizes = (attention.score_kernel.shape[0], attention.glimpses)
    sizes = (recurrent.units, *attention_sizes, cell.context_size, cell.input_feed_size)
    kernel = find_decoder_kernel(recurrence, architecture, sizes)
    if kernel is None:
        return None
    weights = (
        recurrent.kernel,
        *_recurrent_weights(recurrence, recurrent),
        (attention.query_kernel, attention.score_kernel),
        _readout_weights(cell, recurrent.units),
    )
    mask = None if is_empty(memory.mask) else memory.mask
    output, context, alignments, readout = kernel(
        words, state.cells[0], (memory.keys, memory.values, mask), weights, bool(training)
    )
    positions = ops.shape(memory.values)[1:-1]
    alignments = ops.reshape(alignments, (*ops.shape(alignments)[:3], *positions))
    return StepOutputs(output, context, alignments, readout)


def _recurrence(cell: AttentionCell) -> str | None:
    """The name of the only recurrent cell, if it computes what Keras' own does by default."""
    (recurrent, *others) = cell.cells
    full_precision = cell.compute_dtype == cell.variable_dtype
    if others or not full_precision or cell.compute_dtype not in ("float32", "float64"):
        return None
    for name, keras_cell in RECURRENT_CELLS.items():
        if not is_overridden(recurrent, keras_cell):
            default_options = (
                recurrent.activation is keras.activations.tanh
                and recurrent.recurrent_activation is keras.activations.sigmoid
                and not recurrent.dropout
                and not recurrent.recurrent_dropout
                and getattr(recurrent, "reset_after", True)
                and recurrent.dtype_policy == cell.dtype_policy
            )
            return name if default_options else None
    return None


def _supports(cell: AttentionCell, memory: Memory, training: bool) -> bool:
    """Whether mechanism, architecture and readout are those of the papers, over one memory."""
    attention: Any = cell.attention
    return (
        type(attention) is AdditiveAttention  # a subclass may have weights of its own
        and not is_overridden(attention, AdditiveAttention)
        and not is_overridden(cell, type(cell))
        and not (_feeds_readout(cell) and _is_custom_readout(cell.readout))
        and attention.activation is keras.activations.tanh
        and not attention.normalize
        and not (training and attention.dropout.rate)
        and attention.compute_dtype == attention.variable_dtype == memory.values.dtype
    )


def _recurrent_weights(recurrence: str, cell: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The input bias, or None, and the recurrent weights, as the kernels take them."""
    if recurrence == "lstm":
        return cell.bias, (cell.recurrent_kernel,)
    bias = ops.zeros((2, 3 * cell.units), cell.dtype) if cell.bias is None else cell.bias
    return bias[0], (cell.recurrent_kernel, bias[1])


def _feeds_readout(cell: AttentionCell) -> bool:
    """Whether the next step reads the readout, which is then part of the loop."""
    return isinstance(cell, LuongCell) and cell.feeds_readout


def _is_custom_readout(readout: Any) -> bool:
    """Whether the readout is not tanh of a product with weights that can be read as they are."""
    dense = readout.dense
    return (
        is_overridden(readout, Readout)
        or is_overridden(dense, keras.layers.Dense)
        or dense.activation is not keras.activations.tanh
        or not dense.use_bias
        or bool(dense.quantization_mode)
        or dense.compute_dtype != readout.compute_dtype
    )


def _readout_weights(cell: AttentionCell, units: int) -> tuple[Tensor, ...]:
    """The weights of a readout that is fed to the next step, or an empty tuple."""
    if not _feeds_readout(cell):
        return ()
    dense = cell.readout.dense
    return dense.kernel[:units], dense.kernel[units:], dense.bias
