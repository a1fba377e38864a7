"""A recurrent language model whose states come in and go out: all of its memory is in the open."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import layers

from rnnpipe.errors import UserError
from rnnpipe.layers import GRU, LSTM, RecurrentHighwayCell, RecurrentStack, VanillaRNN

Kind = Literal["lstm", "gru", "vanilla", "highway"]


def build_recurrence(
    kind: Kind,
    units: int,
    *,
    depth: int = 1,
    dropout: float = 0.0,
    connection: Literal["residual", "highway"] | None = None,
) -> RecurrentStack:
    """Recurrent layers on top of each other, which return their sequences and states.

    Args:
        kind: which; `highway` is a recurrent highway network with three layers in each step.
        units: of each layer.
        depth: how many layers.
        dropout: share of the outputs between two layers dropped in training.
        connection: how a layer's input joins its output, see `RecurrentStack`.
    """
    options = {"return_sequences": True, "return_state": True}
    if kind == "highway":
        layer: Any = layers.RNN(RecurrentHighwayCell(units, depth=3), **options)
    else:
        layer = {"lstm": LSTM, "gru": GRU, "vanilla": VanillaRNN}[kind](units, **options)
    return RecurrentStack(layer, depth, dropout=dropout, connection=connection, name="recurrence")


def build_language_model(
    *,
    vocab: int,
    recurrence: Any,
    embedding: int = 128,
    embedding_dropout: float = 0.0,
    output_dropout: float = 0.0,
    tie_weights: bool = False,
) -> keras.Model:
    """A model of what comes next in a text.

        xₜ = embed(tokenₜ)        hₜ, sₜ = recurrence(xₜ, sₜ₋₁)        logitsₜ = hₜ W + b

    Nothing is kept between two calls. Who reads a long text in pieces hands the states of one call
    to the next, as `TruncatedBPTT` does in training.

    Args:
        vocab: number of tokens.
        recurrence: a recurrent layer of this package or of Keras, or a stack of them, with
            `return_sequences=True` and `return_state=True`; see `build_recurrence`.
        embedding: size of the tokens' embeddings.
        embedding_dropout: share of the embeddings' features dropped in training.
        output_dropout: share of h's features dropped in training.
        tie_weights: whether W is the embedding (Press & Wolf 2017).

    Returns:
        A model from `{"tokens": (batch, time) int, "states": [(batch, size), …]}` to `{"logits":
        (batch, time, vocab), "states": the states after the last token}`. States of zeros stand
        at the beginning of a text.

    Raises:
        UserError: the recurrence does not return its states, or tied weights do not fit.

    Example:
        >>> import numpy
        >>> model = build_language_model(vocab=9, recurrence=build_recurrence("gru", 4))
        >>> states = [numpy.zeros((1, 4))]
        >>> found = model({"tokens": numpy.array([[2, 4, 5]]), "states": states})
        >>> tuple(found["logits"].shape), [tuple(state.shape) for state in found["states"]]
        ((1, 3, 9), [(1, 4)])

    Source: Mikolov et al., Recurrent neural network based language model, 2010; dropout after
    Zaremba, Sutskever and Vinyals, Recurrent Neural Network Regularization, 2014.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    table = layers.ReversibleEmbedding(
        vocab,
        embedding,
        tie_weights=True,
        # About as long as the states: they are as much of what a cell sees.
        embeddings_initializer=keras.initializers.RandomNormal(stddev=embedding**-0.5),
        name="embedding",
    )
    words = layers.Dropout(embedding_dropout, name="embedding_dropout")(table(tokens))
    states = [
        keras.Input((size,), name=f"state_{number}")
        for number, size in enumerate(_state_sizes(recurrence, words))
    ]
    hidden, *after = recurrence(words, initial_state=states)
    hidden = layers.Dropout(output_dropout, name="output_dropout")(hidden)
    if not tie_weights:
        logits = layers.Dense(vocab, name="logits")(hidden)
    elif hidden.shape[-1] == embedding:
        logits = table(hidden, reverse=True)
    else:
        got = f"an embedding of {embedding} and {hidden.shape[-1]} units"
        fix = "make them equal, or do not tie the weights"
        raise UserError("tie_weights", "an embedding as wide as the layers", got, fix)
    return keras.Model(
        {"tokens": tokens, "states": states},
        {"logits": logits, "states": after},
        name="language_model",
    )


def state_sizes(model: keras.Model) -> list[int]:
    """The sizes of a language model's states."""
    return [state.shape[-1] for state in model.input["states"]]


def _state_sizes(recurrence: Any, words: Any) -> Sequence[int]:
    returned = recurrence(words)
    if not isinstance(returned, list | tuple) or len(returned[0].shape) != 3:
        raise UserError(
            "recurrence",
            "a layer that returns its sequences and its states",
            f"{type(recurrence).__name__} without",
            "build it with return_sequences=True and return_state=True",
        )
    return [state.shape[-1] for state in returned[1:]]
