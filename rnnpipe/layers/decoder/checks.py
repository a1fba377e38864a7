"""What can be wrong with the arguments of a decoder, and how it is told."""

from typing import Any

import keras
from keras import ops, tree

from rnnpipe.layers.faults import fault, shape_text, shapes_agree


def check_parts(layer: Any, cells: list[Any], attention: Any) -> None:
    """Complains of no cell, and of what is neither a cell nor a mechanism."""
    if not cells:
        raise fault(layer, "at least one cell", "none", "write e.g. cell=GRUCell(512)")
    for cell in cells:
        if not hasattr(cell, "state_size"):
            fix = "write e.g. cell=GRUCell(512)"
            raise fault(layer, "a recurrent cell", repr(cell), fix)
    if not hasattr(attention, "first_state"):
        fix = "write e.g. attention=AdditiveAttention(512)"
        raise fault(layer, "an attention mechanism", repr(attention), fix)


def check_sizes(layer: Any, vocab: int, output_size: int | None) -> None:
    """Complains of a vocabulary or readout of no size."""
    if vocab < 1:
        raise fault(layer, "a vocabulary of at least 1", str(vocab), "write e.g. vocab=8000")
    if output_size is not None and output_size < 1:
        fix = "write e.g. output_size=512, or leave it out"
        raise fault(layer, "an output_size of at least 1", str(output_size), fix)


def check_choices(layer: Any, choices: dict[str, tuple[str, tuple[str, ...]]]) -> None:
    """Complains of an option that is none of those there are."""
    for name, (value, known) in choices.items():
        if value not in known:
            raise fault(layer, f"{name} to be one of {known}", repr(value), "choose one")


def check_rates(layer: Any, dropout: float, sampling_rate: float | None) -> None:
    """Complains of shares that cannot be."""
    if not 0 <= dropout < 1:
        raise fault(layer, "dropout from 0 to below 1", str(dropout), "write e.g. dropout=0.3")
    if sampling_rate is not None and not 0 <= sampling_rate <= 1:
        got, fix = str(sampling_rate), "write e.g. sampling_rate=0.0"
        raise fault(layer, "a sampling rate from 0 to 1", got, fix)


def check_embedding(layer: Any, embedding: Any) -> None:
    """Complains of an embedding of another vocabulary."""
    rows = getattr(embedding, "input_dim", layer.vocab)
    if rows != layer.vocab:
        fix = "let embedding and decoder have the same vocabulary"
        raise fault(layer, f"an embedding of {layer.vocab} tokens", f"one of {rows}", fix)


def check_tokens(layer: Any, tokens: Any, rank: int) -> None:
    """Complains of tokens that are no integers of this rank or, called eagerly, not in range."""
    dtype = keras.backend.standardize_dtype(tokens.dtype)
    if len(tokens.shape) != rank or "int" not in dtype:
        axes = "(batch, target_time)" if rank == 2 else "(batch,)"
        fix = "pass the words so far, the start token first"
        raise fault(layer, f"integer tokens {axes}", f"{shape_text(tokens)} of {dtype}", fix)
    if not hasattr(tokens, "numpy") or 0 in tokens.shape:
        return
    values = ops.convert_to_numpy(tokens)
    least, most = int(values.min()), int(values.max())
    if least < 0 or most >= layer.vocab:
        got = str(least if least < 0 else most)
        fix = "check the vocabulary, start token included"
        raise fault(layer, f"tokens from 0 to {layer.vocab - 1}", got, fix)


def check_given(layer: Any, memory: Any) -> None:
    """Complains of no memory, or no shape of one."""
    if memory is None:
        fix = "pass what the encoder says of its source: decoder(tokens, memory)"
        raise fault(layer, "a memory (batch, source_time, features)", "None", fix)


def check_memory(layer: Any, memory: Any, mask: Any, tokens: Any = None) -> None:
    """Complains of no memory, one of other rows than tokens, and a mask of other positions."""
    check_given(layer, memory)
    rows = {each.shape[0] for each in tree.flatten((memory, () if tokens is None else tokens))}
    rows.discard(None)
    if len(rows) > 1:
        expected, got = "tokens and memory of equal batches", f"batches of {sorted(rows)}"
        raise fault(layer, expected, got, "pass one row of memory for each row of tokens")
    # Several memories have several masks, which their mechanism knows.
    if mask is None or not hasattr(memory, "shape"):
        return
    if not shapes_agree(mask.shape, memory.shape[:-1]):
        expected = f"a mask over the memory's positions {tuple(memory.shape[:-1])}"
        raise fault(layer, expected, shape_text(mask), "pass one boolean for each position")


def check_states(layer: Any, states: list[Any], sizes: list[int]) -> None:
    """Complains of first states of another count or size."""
    expected = [(None, size) for size in sizes]
    if len(states) != len(expected) or not all(
        shapes_agree(state.shape, shape) for state, shape in zip(states, expected, strict=True)
    ):
        raise fault(
            layer,
            f"initial_state of {len(expected)} tensors of shapes {expected}",
            f"{len(states)} of {[tuple(state.shape) for state in states]}",
            "pass one for each state of each cell, e.g. from a Bridge",
        )
