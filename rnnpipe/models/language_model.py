"""Language models: the next token of a text, from all tokens before it."""

from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.models.ensemble import mean_logits, name_members
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions, find_state_sizes
from rnnpipe.settings import Settings, fraction, setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import keras


_FIRST_STATES = "first_states"


class LanguageModelOptions(Settings):
    """An embedding, recurrent layers and a softmax over the next token."""

    embedding: EmbeddingOptions = EmbeddingOptions(size=128)
    recurrence: RecurrenceOptions = RecurrenceOptions()
    output_dropout: float = fraction(help="of the features that the softmax reads, in training")
    tie_weights: bool = setting(False, "whether the softmax uses the embedding (Press & Wolf 2017)")

    def check(self) -> None:
        """No layer reads the tokens that it predicts."""
        if self.recurrence.bidirectional:
            expected, fix = "false: it would read what it predicts", "write false"
            raise UserError("recurrence.bidirectional", expected, "true", fix)


def build_language_model(
    options: LanguageModelOptions,
    *,
    vocab: int,
    recurrence: "keras.layers.Layer | None" = None,
) -> "keras.Model":
    """A model of the next token of a text.

        xₜ = embed(tokenₜ)        hₜ, sₜ = recurrence(xₜ, sₜ₋₁)        logitsₜ = hₜ W + b

    Nothing is kept between two calls. A long text is read in chunks by passing the states of one
    call to the next, as `TruncatedBPTT` does in training. A text that starts has the first states
    s₀, whatever is passed: zeros, or trained vectors with `recurrence.learned_state`.

    Args:
        options: of its parts.
        vocab: number of tokens.
        recurrence: a Keras layer in the place of that part, with `return_sequences=True` and
            `return_state=True`.

    Returns:
        A model from `{"tokens": (batch, time) int, "starts": (batch,) bool, whether the text starts
        with these tokens, "states": [(batch, size), …]}` to `{"logits": (batch, time, vocab),
        "state_0": (batch, size), …}`, the states after the last token.

    Raises:
        UserError: the recurrence does not return its states, it has learned first states of its
            own, or tied weights do not fit.

    Example:
        >>> import numpy
        >>> from rnnpipe.parts.cells import GRUOptions
        >>> options = LanguageModelOptions(recurrence=RecurrenceOptions(cell=GRUOptions(units=4)))
        >>> model = build_language_model(options, vocab=9)
        >>> inputs = {"tokens": numpy.array([[2, 4, 5]]), "states": [numpy.zeros((1, 4))]}
        >>> outputs = model({**inputs, "starts": numpy.array([True])})
        >>> tuple(outputs["logits"].shape), [tuple(state.shape) for state in get_states(outputs)]
        ((1, 3, 9), [(1, 4)])

    Source: Mikolov et al., Recurrent neural network based language model, 2010; dropout after
    Zaremba, Sutskever and Vinyals, Recurrent Neural Network Regularization, 2014.
    """
    import keras
    from keras import layers

    from rnnpipe.layers import WordDropout

    embedding = options.embedding
    recurrence = (
        _check_recurrence(recurrence) or replace(options.recurrence, learned_state=False).make()
    )
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    starts = keras.Input((), dtype="bool", name="starts")
    table = layers.ReversibleEmbedding(
        vocab,
        embedding.size,
        tie_weights=True,
        embeddings_initializer=embedding.make_initializer(),
        name="embedding",
    )
    words = table(WordDropout(embedding.word_dropout, name="word_dropout")(tokens))
    make_dropout = options.recurrence.make_dropout
    words = make_dropout(embedding.dropout, name="embedding_dropout")(words)
    sizes = find_state_sizes(recurrence, words)
    states = [keras.Input((size,), name=f"state_{number}") for number, size in enumerate(sizes)]
    before = _start_texts(options, starts, states, words)
    hidden, *after = recurrence(words, initial_state=before)
    hidden = make_dropout(options.output_dropout, name="output_dropout")(hidden)
    logits = _predict(options, hidden, table, vocab)
    return keras.Model(
        {"tokens": tokens, "starts": starts, "states": states},
        # Flat, as what is exported returns tensors by name.
        {"logits": logits, **{f"state_{number}": state for number, state in enumerate(after)}},
        name="language_model",
    )


def _start_texts(
    options: LanguageModelOptions, starts: Any, states: list[Any], words: Any
) -> list[Any]:
    """The states that the recurrence begins with: the first ones where a text starts."""
    from keras import ops

    from rnnpipe.layers import LearnedState

    sizes = [state.shape[-1] for state in states]
    learned = options.recurrence.learned_state
    first = LearnedState(sizes, name=_FIRST_STATES)(words) if learned else [0.0] * len(sizes)
    return [
        ops.where(starts[:, None], start, state) for start, state in zip(first, states, strict=True)
    ]


def _predict(options: LanguageModelOptions, hidden: Any, table: Any, vocab: int) -> Any:
    """The logits, `(batch, time, vocab)`, by the embedding or by a kernel of their own."""
    from keras import layers

    if not options.tie_weights:
        return layers.Dense(vocab, name="logits")(hidden)
    size, units = options.embedding.size, hidden.shape[-1]
    if size != units:
        got = f"an embedding of {size} and {units} units"
        fix = "make them equal, or do not tie the weights"
        raise UserError("model.tie_weights", "an embedding as wide as the layers", got, fix)
    return table(hidden, reverse=True)


def _check_recurrence(recurrence: Any) -> Any:
    if getattr(recurrence, "learned_state", False):
        expected, got = "a layer without learned first states", "learned_state=True"
        fix = "set recurrence.learned_state in the options: the model starts texts itself"
        raise UserError("recurrence", expected, got, fix)
    return recurrence


def join_language_models(models: "Sequence[keras.Model]") -> "keras.Model":
    """Several language models as one, whose probabilities are the mean of theirs.

        p = 1/K Σₖ pₖ      logits = log p

    Args:
        models: what `build_language_model` made, with one vocabulary; they get new names, see
            `rnnpipe.models.ensemble.find_members`.

    Returns:
        A language model, whose states are those of the first model, then those of the next.
    """
    import keras

    name_members(models)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    starts = keras.Input((), dtype="bool", name="starts")
    sizes = [state_sizes(model) for model in models]
    states = [
        keras.Input((size,), name=f"state_{number}")
        for number, size in enumerate(chain.from_iterable(sizes))
    ]
    rest = iter(states)
    outputs = [
        model({"tokens": tokens, "starts": starts, "states": list(islice(rest, len(own)))})
        for model, own in zip(models, sizes, strict=True)
    ]
    after = [state for output in outputs for state in get_states(output)]
    logits = mean_logits([output["logits"] for output in outputs])
    return keras.Model(
        {"tokens": tokens, "starts": starts, "states": states},
        {"logits": logits, **{f"state_{number}": state for number, state in enumerate(after)}},
        name="language_model",
    )


def first_states(model: "keras.Model", rows: int) -> list[Any]:
    """The states at the start of a text, `(rows, size)` each: zeros, or those that are learned."""
    from keras import ops

    zeros = [ops.zeros((rows, size)) for size in state_sizes(model)]
    learned = [layer for layer in model.layers if layer.name == _FIRST_STATES]
    return (
        [zero + state for zero, state in zip(zeros, learned[0](zeros[0]), strict=True)]
        if learned
        else zeros
    )


def state_sizes(model: "keras.Model") -> list[int]:
    """The sizes of a language model's states."""
    return [state.shape[-1] for state in model.input["states"]]


def get_states(outputs: "Mapping[str, Any]") -> list[Any]:
    """The states among a language model's outputs, in the order in which it reads them."""
    return [outputs[f"state_{number}"] for number in range(len(outputs) - 1)]
