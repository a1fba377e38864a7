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
from rnnpipe.layers.kernels import (
    find_decoder_kernel,
    first_obstacle,
    is_overridden,
    place_obstacle,
    precision_obstacle,
)
from rnnpipe.nested import is_empty
from rnnpipe.types import Tensor

RECURRENT_CELLS = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}
ARCHITECTURES: dict[type[AttentionCell], str] = {LuongCell: "luong", BahdanauCell: "bahdanau"}


def decoder_obstacle(
    cell: AttentionCell, memory: Memory | None = None, *, training: bool = False
) -> str | None:
    """Why no kernel serves a decoder here, or None if one does.

    Args:
        cell: the built cell of the decoder.
        memory: what the attention reads, if it is known.
        training: whether dropout is on.
    """
    return (
        place_obstacle("decoder_kernel")
        or precision_obstacle(cell)
        or _cell_obstacle(cell)
        or _attention_obstacle(cell, training)
        or first_obstacle(
            {
                "its readout is not tanh of a product": (
                    _feeds_readout(cell) and _is_custom_readout(cell.readout)
                ),
                "its memory has another dtype": (
                    memory is not None
                    and cell.attention.compute_dtype
                    != keras.backend.standardize_dtype(memory.values.dtype)
                ),
            }
        )
    )


def unroll_fused(
    cell: AttentionCell, words: Tensor, memory: Memory, state: DecoderState, training: bool
) -> StepOutputs | None:
    """The outputs of all steps, equal to those of `cell.unroll`, or None without a kernel.

    Args:
        cell: the built cell.
        words: `(batch, time, features)`.
        memory: what the attention reads.
        state: the first state.
        training: whether dropout is on and gradients are likely to be computed.
    """
    recurrence = _recurrence(cell.cells[0])
    obstacle = decoder_obstacle(cell, memory, training=bool(training))
    if recurrence is None or obstacle is not None:
        return None
    architecture = ARCHITECTURES[type(cell)]
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


def _recurrence(cell: Any) -> str | None:
    """The name of the recurrence of a cell, if it steps as Keras' own does."""
    kinds = RECURRENT_CELLS.items()
    return next((name for name, kind in kinds if not is_overridden(cell, kind)), None)


def _cell_obstacle(cell: AttentionCell) -> str | None:
    """What no kernel has of the architecture and of the recurrent cell."""
    recurrent = cell.cells[0]
    if type(cell) not in ARCHITECTURES or is_overridden(cell, type(cell)):
        return "its architecture is neither Luong's nor Bahdanau's"
    if len(cell.cells) > 1:
        return f"it has {len(cell.cells)} cells"
    if _recurrence(recurrent) is None:
        return "its cell is neither the GRU nor the LSTM of Keras"
    return first_obstacle(
        {
            "its activation is not tanh": recurrent.activation is not keras.activations.tanh,
            "its recurrent activation is not sigmoid": (
                recurrent.recurrent_activation is not keras.activations.sigmoid
            ),
            "its cell has dropout": bool(recurrent.dropout or recurrent.recurrent_dropout),
            "it resets before the product": not getattr(recurrent, "reset_after", True),
            "its cell has another dtype policy": recurrent.dtype_policy != cell.dtype_policy,
        }
    )


def _attention_obstacle(cell: AttentionCell, training: bool) -> str | None:
    """What no kernel has of the attention."""
    attention: Any = cell.attention
    # A subclass may have weights of its own.
    if type(attention) is not AdditiveAttention or is_overridden(attention, AdditiveAttention):
        return "its attention is not additive"
    return first_obstacle(
        {
            "the activation of its attention is not tanh": (
                attention.activation is not keras.activations.tanh
            ),
            "its attention is normalised": bool(attention.normalize),
            "its attention has dropout": bool(training and attention.dropout.rate),
            "its attention has another dtype policy": attention.dtype_policy != cell.dtype_policy,
        }
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
