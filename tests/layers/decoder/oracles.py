"""The decoder once more in NumPy: one example, one step, one equation at a time, in float64."""

from typing import NamedTuple

import numpy as np

from tests.layers import reference


class Weights(NamedTuple):
    """All weights of a decoder, in the order in which each part has them."""

    embeddings: np.ndarray
    cells: list[list[np.ndarray]]
    attention: list[np.ndarray]
    readout: list[np.ndarray]
    logits: list[np.ndarray]


def weights_of(decoder):
    dense = decoder.cell.readout.dense
    logits = decoder.to_logits
    (embeddings,) = decoder.embedding.get_weights()
    return Weights(
        embeddings,
        [cell.get_weights() for cell in decoder.cell.cells],
        decoder.cell.attention.get_weights(),
        [] if dense is None else dense.get_weights(),
        [embeddings.T, logits.bias.numpy()] if decoder.tie_weights else logits.get_weights(),
    )


def advance(x, states, weights):
    """One step of every cell: GRUs have one state, LSTMs two."""
    after = []
    for state, values in zip(states, weights, strict=True):
        if len(state) == 1:
            _, *new = reference.gru(x[None], values, [0], *state)
        else:
            _, *new = reference.lstm(x[None], values, [0], *state)
        after.append(new)
        x = new[0]
    return x, after


def read_out(kind, s, c, e, weights):
    if kind == "state":
        return s
    if kind == "plain":
        return np.concatenate([s, c])
    kernel, bias = weights
    if kind == "tanh":
        return np.tanh(np.concatenate([s, c]) @ kernel + bias)
    joined = np.concatenate([s, c, e]) @ kernel + bias
    if kind == "deep":
        return np.tanh(joined)
    return np.array([max(joined[i], joined[i + 1]) for i in range(0, len(joined), 2)])


def decode(tokens, memory, states, weights, architecture, feeding, output):
    """Logits `(time, vocab)` and alignments `(time, glimpses, positions)` of one example.

    `memory` has the readable positions only; `states` are those of each cell.
    """
    context_size = memory.shape[1] * weights.attention[3].shape[1]
    fed = np.zeros(weights.readout[1].shape if output == "tanh" else context_size)
    logits, alignments = [], []
    for token in tokens:
        e = weights.embeddings[token]
        if architecture == "bahdanau":
            c, a = reference.additive_attention(states[-1][0], list(memory), weights.attention)
            s, states = advance(np.concatenate([e, c] if feeding else [e]), states, weights.cells)
        elif architecture == "top_down":
            x = np.concatenate([e, states[-1][0], memory.mean(axis=0)] if feeding else [e])
            q, first = advance(x, states[:1], weights.cells[:1])
            c, a = reference.additive_attention(q, list(memory), weights.attention)
            s, rest = advance(np.concatenate([c, q]), states[1:], weights.cells[1:])
            states = [*first, *rest]
        else:
            s, states = advance(np.concatenate([e, fed] if feeding else [e]), states, weights.cells)
            c, a = reference.additive_attention(s, list(memory), weights.attention)
        r = read_out(output, s, c, e, weights.readout)
        fed = r if output == "tanh" else c
        logits.append(r @ weights.logits[0] + weights.logits[1])
        alignments.append(a)
    return np.array(logits), np.array(alignments)
