"""Checks of the arguments of a decoder."""

from collections.abc import Collection
from typing import Any

import keras
from keras import tree

from rnnpipe.layers.errors import (
    check_state_shapes,
    is_count,
    is_number,
    layer_error,
    shape_text,
    shapes_agree,
)
from rnnpipe.types import Nested, Tensor
from rnnpipe.values import known_values


def check_parts(layer: Any, cells: list[Any], attention: Any) -> None:
    """Checks that there are recurrent cells and an attention mechanism."""
    if not cells:
        raise layer_error(layer, "at least one cell", "none", "write e.g. cell=GRUCell(512)")
    for cell in cells:
        if not hasattr(cell, "state_size"):
            fix = "write e.g. cell=GRUCell(512)"
            raise layer_error(layer, "a recurrent cell", repr(cell), fix)
    if not hasattr(attention, "first_state"):
        fix = "write e.g. attention=AdditiveAttention(512)"
        raise layer_error(layer, "an attention mechanism", repr(attention), fix)


def check_sizes(layer: Any, vocab: int, output_size: int | None) -> None:
    """Checks the sizes of vocabulary and readout."""
    if not is_count(vocab):
        raise layer_error(layer, "a vocabulary of at least 1", str(vocab), "write e.g. vocab=8000")
    if output_size is not None and not is_count(output_size):
        fix = "write e.g. output_size=512, or omit it"
        raise layer_error(layer, "an output_size of at least 1", str(output_size), fix)


def check_choices(layer: Any, choices: dict[str, tuple[str, Collection[str]]]) -> None:
    """Checks that each option is one of its choices."""
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            raise layer_error(
                layer, f"{name} to be one of {tuple(allowed)}", repr(value), "choose one"
            )


def check_rates(layer: Any, dropout: float, sampling_rate: float | None) -> None:
    """Checks the range of dropout and sampling rate."""
    if not is_number(dropout) or not 0 <= dropout < 1:
        raise layer_error(
            layer, "dropout from 0 to below 1", str(dropout), "write e.g. dropout=0.3"
        )
    in_range = is_number(sampling_rate) and 0 <= sampling_rate <= 1
    if sampling_rate is not None and not in_range:
        got, fix = str(sampling_rate), "write e.g. sampling_rate=0.0"
        raise layer_error(layer, "a sampling rate from 0 to 1", got, fix)


def check_embedding(layer: Any, embedding: Any) -> None:
    """Checks that the embedding is a layer, and has the vocabulary of the decoder."""
    if not isinstance(embedding, keras.layers.Layer):
        fix = "write e.g. embedding=256, or pass a keras.layers.Embedding"
        raise layer_error(layer, "the size of an embedding, or a layer", repr(embedding), fix)
    rows = getattr(embedding, "input_dim", layer.vocab)
    if rows != layer.vocab:
        fix = "use one vocabulary in embedding and decoder"
        raise layer_error(layer, f"an embedding of {layer.vocab} tokens", f"one of {rows}", fix)


def check_tied_readout(layer: Any, readout: int, embedding: int) -> None:
    """Checks that a readout has the size of the embedding that makes logits of it."""
    if readout != embedding:
        expected = f"a readout of {embedding}, the size of the tied embedding"
        fix = "leave output_size out, or choose another output than 'plain'"
        raise layer_error(layer, expected, str(readout), fix)


def check_tokens(layer: Any, tokens: Tensor, rank: int) -> None:
    """Checks rank and dtype of tokens and, in eager execution, their range."""
    if not hasattr(tokens, "dtype"):
        fix = "pass an array, e.g. numpy.array(tokens)"
        raise layer_error(layer, "an array of tokens", type(tokens).__name__, fix)
    dtype = keras.backend.standardize_dtype(tokens.dtype)
    if len(tokens.shape) != rank or "int" not in dtype:
        axes = "(batch, target_time)" if rank == 2 else "(batch,)"
        fix = "pass the previous words, the start token first"
        raise layer_error(layer, f"integer tokens {axes}", f"{shape_text(tokens)} of {dtype}", fix)
    values = known_values(tokens)
    if values is None or not values.size:
        return
    least, most = int(values.min()), int(values.max())
    if least < 0 or most >= layer.vocab:
        got = str(least if least < 0 else most)
        fix = "check the vocabulary, start token included"
        raise layer_error(layer, f"tokens from 0 to {layer.vocab - 1}", got, fix)


def check_memory_given(layer: Any, memory: Nested[Any]) -> None:
    """Checks that there is a memory, or its shape."""
    if memory is None:
        fix = "pass the encoder's output: decoder(tokens, memory)"
        raise layer_error(layer, "a memory (batch, source_time, features)", "None", fix)


def check_memory(
    layer: Any, memory: Nested[Tensor], mask: Nested[Tensor], tokens: Tensor = None
) -> None:
    """Checks that memory, tokens and mask agree in batch and positions."""
    check_memory_given(layer, memory)
    for tensor in tree.flatten(memory):
        if not hasattr(tensor, "shape"):
            got, fix = type(tensor).__name__, "pass arrays, e.g. numpy.array(memory)"
            raise layer_error(layer, "a memory of tensors", got, fix)
    rows = {tensor.shape[0] for tensor in tree.flatten((memory, () if tokens is None else tokens))}
    rows.discard(None)
    if len(rows) > 1:
        expected, got = "tokens and memory of equal batches", f"batches of {sorted(rows)}"
        raise layer_error(layer, expected, got, "pass one row of memory for each row of tokens")
    # The masks of several memories are checked by their mechanism.
    if mask is None or not hasattr(memory, "shape"):
        return
    if not hasattr(mask, "shape"):
        fix = "pass an array of booleans"
        raise layer_error(layer, "a mask over the memory's positions", type(mask).__name__, fix)
    if not shapes_agree(mask.shape, memory.shape[:-1]):
        expected = f"a mask over the memory's positions {tuple(memory.shape[:-1])}"
        raise layer_error(layer, expected, shape_text(mask), "pass one boolean for each position")


def check_states(layer: Any, states: list[Tensor], sizes: list[int]) -> None:
    """Checks count and sizes of the first states."""
    fix = "pass one for each state of each cell, e.g. from a Bridge"
    check_state_shapes(layer, states, [(None, size) for size in sizes], fix)
