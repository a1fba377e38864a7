"""A recurrent language model whose states come in and go out: all of its memory is in the open."""

from typing import Any

import keras
from keras import layers

from rnnpipe.errors import UserError
from rnnpipe.models.recurrence import find_state_sizes


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
        >>> from rnnpipe.models.recurrence import build_recurrence
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
        for number, size in enumerate(find_state_sizes(recurrence, words))
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
