"""Language models: what comes next in a text, from all that came before."""

from typing import TYPE_CHECKING

from rnnpipe.errors import UserError
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions, find_state_sizes
from rnnpipe.settings import Settings, fraction, setting

if TYPE_CHECKING:
    import keras


class LanguageModelOptions(Settings):
    """An embedding, recurrent layers and a softmax over what comes next."""

    embedding: EmbeddingOptions = EmbeddingOptions(size=128)
    recurrence: RecurrenceOptions = RecurrenceOptions()
    output_dropout: float = fraction(help="of the features that the softmax reads, in training")
    tie_weights: bool = setting(False, "whether the softmax uses the embedding (Press & Wolf 2017)")

    def check(self) -> None:
        """What comes next cannot be read."""
        if self.recurrence.bidirectional:
            expected, fix = "false: it would read what it predicts", "write false"
            raise UserError("recurrence.bidirectional", expected, "true", fix)


def build_language_model(
    options: LanguageModelOptions,
    *,
    vocab: int,
    recurrence: "keras.layers.Layer | None" = None,
) -> "keras.Model":
    """A model of what comes next in a text.

        xₜ = embed(tokenₜ)        hₜ, sₜ = recurrence(xₜ, sₜ₋₁)        logitsₜ = hₜ W + b

    Nothing is kept between two calls. Who reads a long text in pieces hands the states of one call
    to the next, as `TruncatedBPTT` does in training.

    Args:
        options: of its parts.
        vocab: number of tokens.
        recurrence: a Keras layer in the place of that part, with `return_sequences=True` and
            `return_state=True`.

    Returns:
        A model from `{"tokens": (batch, time) int, "states": [(batch, size), …]}` to `{"logits":
        (batch, time, vocab), "states": the states after the last token}`. States of zeros stand
        at the beginning of a text.

    Raises:
        UserError: the recurrence does not return its states, or tied weights do not fit.

    Example:
        >>> import numpy
        >>> from rnnpipe.parts.cells import GRUOptions
        >>> options = LanguageModelOptions(recurrence=RecurrenceOptions(cell=GRUOptions(units=4)))
        >>> model = build_language_model(options, vocab=9)
        >>> inputs = {"tokens": numpy.array([[2, 4, 5]]), "states": [numpy.zeros((1, 4))]}
        >>> outputs = model(inputs)
        >>> tuple(outputs["logits"].shape), [tuple(state.shape) for state in outputs["states"]]
        ((1, 3, 9), [(1, 4)])

    Source: Mikolov et al., Recurrent neural network based language model, 2010; dropout after
    Zaremba, Sutskever and Vinyals, Recurrent Neural Network Regularization, 2014.
    """
    import keras
    from keras import layers

    from rnnpipe.layers import WordDropout

    embedding = options.embedding
    recurrence = recurrence or options.recurrence.make()
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    # About as long as the states: they are as much of what a cell sees.
    start = keras.initializers.RandomNormal(stddev=embedding.scale or embedding.size**-0.5)
    table = layers.ReversibleEmbedding(
        vocab, embedding.size, tie_weights=True, embeddings_initializer=start, name="embedding"
    )
    words = table(WordDropout(embedding.word_dropout, name="word_dropout")(tokens))
    words = layers.Dropout(embedding.dropout, name="embedding_dropout")(words)
    states = [
        keras.Input((size,), name=f"state_{number}")
        for number, size in enumerate(find_state_sizes(recurrence, words))
    ]
    hidden, *after = recurrence(words, initial_state=states)
    hidden = layers.Dropout(options.output_dropout, name="output_dropout")(hidden)
    if not options.tie_weights:
        logits = layers.Dense(vocab, name="logits")(hidden)
    elif hidden.shape[-1] == embedding.size:
        logits = table(hidden, reverse=True)
    else:
        got = f"an embedding of {embedding.size} and {hidden.shape[-1]} units"
        fix = "make them equal, or do not tie the weights"
        raise UserError("model.tie_weights", "an embedding as wide as the layers", got, fix)
    return keras.Model(
        {"tokens": tokens, "states": states},
        {"logits": logits, "states": after},
        name="language_model",
    )


def state_sizes(model: "keras.Model") -> list[int]:
    """The sizes of a language model's states."""
    return [state.shape[-1] for state in model.input["states"]]
