"""A text's class from what a recurrent network read: many steps in, one answer out."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import keras
from keras import layers, ops

from rnnpipe.layers import (
    GRU,
    LSTM,
    AttentionPooling,
    MaxPooling,
    MeanPooling,
    RecurrentStack,
    VanillaRNN,
    WordDropout,
)
from rnnpipe.text.tokens import PAD, UNKNOWN

RECURRENT: Mapping[str, type[Any]] = MappingProxyType(
    {"lstm": LSTM, "gru": GRU, "vanilla": VanillaRNN}
)
"""The layers that can read, by their name."""


def build_text_classifier(
    *,
    vocab: int,
    classes: int,
    embedding: int = 128,
    embedding_scale: float = 0.1,
    embedding_dropout: float = 0.0,
    word_dropout: float = 0.0,
    layer: Literal["lstm", "gru", "vanilla"] = "lstm",
    units: int = 128,
    depth: int = 1,
    bidirectional: bool = True,
    connection: Literal["residual", "highway"] | None = None,
    layer_dropout: float = 0.0,
    pool_words: bool = False,
    pooling: Literal["last", "mean", "max", "attention"] = "attention",
    attention_units: int = 64,
    glimpses: int = 1,
    attention_dropout: float = 0.0,
    classifier_units: int = 0,
    classifier_dropout: float = 0.0,
) -> keras.Model:
    """A model that says which class a text belongs to, and which words it took that from.

        words  = embed(tokens)                               (batch, time, embedding)
        states = recurrent layers over words                 (batch, time, units)
        text   = states or [states; words], pooled           (batch, features)
        logits = W₂ relu(W₁ text)   or   W text              (batch, classes)

    Padding changes nothing, wherever the texts of a batch end.

    Args:
        vocab: number of tokens.
        classes: number of classes.
        embedding: size of the tokens' embeddings.
        embedding_scale: standard deviation of the embeddings before training.
        embedding_dropout: share of the embeddings' numbers dropped in training.
        word_dropout: share of the tokens replaced by the unknown one in training.
        layer: which recurrent layer reads.
        units: its units, in each direction.
        depth: how many of them are stacked.
        bidirectional: whether each also reads backwards.
        connection: how a layer's input joins its output, see `RecurrentStack`.
        layer_dropout: share of the outputs between two layers dropped in training.
        pool_words: whether each word's embedding is pooled beside its state (Lai et al. 2015), so
            that it also counts as what it is and not only as what the layers made of it; not for
            the pooling `last`.
        pooling: `last` takes the last state (backwards: the first), `mean` and `max` those of all
            steps, and `attention` a weighted mean, see `rnnpipe.layers`.
        attention_units: size of the layer in which attention scores the steps.
        glimpses: how many alignments attention makes.
        attention_dropout: share of its layer dropped in training.
        classifier_units: units of a hidden layer before the classes; 0 for none.
        classifier_dropout: share of the inputs of each of these layers dropped in training.

    Returns:
        A model from `(batch, time)` token ids to `{"logits": (batch, classes), "alignments":
        (batch, glimpses, time)}`. The last state comes from no step in particular: with the
        pooling `last` there are no alignments.

    Raises:
        UserError: a size or an option is out of range.

    Example:
        >>> model = build_text_classifier(vocab=50, classes=3, units=8, glimpses=2)
        >>> {name: value.shape for name, value in model.output.items()}
        {'logits': (None, 3), 'alignments': (None, 2, None)}
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    words = WordDropout(word_dropout, unknown=UNKNOWN, padding=PAD, name="word_dropout")(tokens)
    words = layers.Embedding(
        vocab,
        embedding,
        mask_zero=True,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=embedding_scale),
        name="embedding",
    )(words)
    words = layers.Dropout(embedding_dropout, name="embedding_dropout")(words)
    states = RecurrentStack(
        RECURRENT[layer](units, return_sequences=pooling != "last"),
        depth,
        bidirectional=bidirectional,
        dropout=layer_dropout,
        connection=connection,
        name="encoder",
    )(words)
    text, seen = states, {}
    if pooling != "last":
        poolings = {
            "mean": MeanPooling(name="pooling"),
            "max": MaxPooling(name="pooling"),
            "attention": AttentionPooling(
                attention_units, glimpses, dropout=attention_dropout, name="pooling"
            ),
        }
        steps = layers.Concatenate(name="steps")([states, words]) if pool_words else states
        text, seen["alignments"] = poolings[pooling](steps)
    if classifier_units:
        text = layers.Dropout(classifier_dropout, name="text_dropout")(text)
        text = layers.Dense(classifier_units, activation="relu", name="hidden")(text)
    text = layers.Dropout(classifier_dropout, name="classifier_dropout")(text)
    logits = layers.Dense(classes, dtype="float32", name="logits")(text)
    return keras.Model(tokens, {"logits": logits, **seen}, name="text_classifier")


def join_classifiers(models: Sequence[keras.Model]) -> keras.Model:
    """Several classifiers as one, whose probabilities are the mean of theirs.

        p = 1/K Σₖ pₖ      logits = log p      alignments: the mean of theirs

    Trained apart, from different first weights, they err on different texts.

    Args:
        models: what `build_text_classifier` made, with the same options; they get new names.

    Returns:
        A model with their inputs and outputs.

    Example:
        >>> options = {"vocab": 50, "classes": 3, "units": 8}
        >>> joined = join_classifiers([build_text_classifier(**options) for _ in range(2)])
        >>> {name: value.shape for name, value in joined.output.items()}
        {'logits': (None, 3), 'alignments': (None, 1, None)}

    Source: Hansen and Salamon, Neural Network Ensembles, 1990.
    """
    for number, model in enumerate(models, start=1):
        model.name = f"member_{number}"
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    outputs = [model(tokens) for model in models]
    log_p = ops.stack([ops.log_softmax(output["logits"]) for output in outputs])
    joined = {"logits": ops.logsumexp(log_p, axis=0) - math.log(len(models))}
    if "alignments" in outputs[0]:
        joined["alignments"] = ops.mean(ops.stack([o["alignments"] for o in outputs]), axis=0)
    return keras.Model(tokens, joined, name="text_classifier")
