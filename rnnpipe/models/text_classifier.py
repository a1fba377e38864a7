"""A text's class from what a recurrent network reads: many steps in, one answer out."""

from typing import TYPE_CHECKING

from rnnpipe.errors import UserError
from rnnpipe.parts.cells import LSTMOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.pooling import AttentionPoolingOptions, ConcatPoolingOptions, PoolingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.text.tokens import PAD, UNKNOWN
from rnnpipe.text.word_vectors import WordVectors

if TYPE_CHECKING:
    import keras


class TextClassifierOptions(Settings):
    """Embeddings, recurrent layers, pooling over time, a softmax over the classes."""

    embedding: EmbeddingOptions = EmbeddingOptions(size=128, scale=0.1)
    recurrence: RecurrenceOptions = RecurrenceOptions(
        cell=LSTMOptions(units=128), bidirectional=True
    )
    pooling: PoolingOptions = AttentionPoolingOptions()
    hidden_units: int = setting(0, "of a hidden layer before the classes; 0: none", ge=0)
    dropout: float = fraction(help="of the inputs of each layer after pooling, in training")

    @property
    def is_random(self) -> bool:
        """Whether anything is dropped in training."""
        embedding, recurrence = self.embedding, self.recurrence
        rates = [self.dropout, embedding.dropout, embedding.word_dropout, recurrence.zoneout]
        rates.append(recurrence.dropout if recurrence.depth > 1 else 0.0)
        rates += [
            getattr(recurrence.cell, name, 0.0) for name in ("recurrent_dropout", "weight_drop")
        ]
        rates.append(getattr(self.pooling, "dropout", 0.0))
        return any(rates)

    def check(self) -> None:
        """Connections join sequences, not a sequence with its last state."""
        recurrence = self.recurrence
        if recurrence.connection and recurrence.depth > 1 and not self.pooling.needs_sequences:
            raise UserError(
                "pooling.kind",
                f"another pooling with recurrence.connection {recurrence.connection}",
                "last",
                "choose mean, max, concat or attention, or set recurrence.connection to null",
            )


def _make_pooling(options: TextClassifierOptions) -> "keras.layers.Layer":
    pooling, recurrence = options.pooling, options.recurrence
    if not isinstance(pooling, ConcatPoolingOptions):
        return pooling.make()
    units = recurrence.cell.output_size
    return pooling.make(backward=(units, 2 * units) if recurrence.bidirectional else None)


def build_text_classifier(
    options: TextClassifierOptions,
    *,
    vocab: int,
    classes: int,
    word_vectors: WordVectors | None = None,
    recurrence: "keras.layers.Layer | None" = None,
) -> "keras.Model":
    """A model of the class of a text, and the tokens that it comes from.

        words  = embed(tokens)                               (batch, time, embedding)
        states = recurrence(words)                           (batch, time, units)
        text   = states or [states; words], pooled           (batch, features)
        logits = W₂ relu(W₁ text)   or   W text              (batch, classes)

    Padding changes nothing, wherever the texts of a batch end.

    Args:
        options: of its parts.
        vocab: number of tokens.
        classes: number of classes.
        word_vectors: what the embeddings of some tokens begin with; None: random ones.
        recurrence: a Keras layer in the place of that part: from `(batch, time, embedding)` to
            `(batch, time, units)`, or with the pooling `last` to `(batch, units)`.

    Returns:
        A model from `(batch, time)` token ids to `{"logits": (batch, classes), "alignments":
        (batch, glimpses, time)}`. The last state comes from no step in particular: with the
        pooling `last` there are no alignments.

    Example:
        >>> options = TextClassifierOptions(pooling=AttentionPoolingOptions(glimpses=2))
        >>> model = build_text_classifier(options, vocab=50, classes=3)
        >>> {name: value.shape for name, value in model.output.items()}
        {'logits': (None, 3), 'alignments': (None, 2, None)}
    """
    import keras
    from keras import layers

    from rnnpipe.layers import WordDropout

    embedding, pooling = options.embedding, options.pooling
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    words = WordDropout(embedding.word_dropout, unknown=UNKNOWN, padding=PAD, name="word_dropout")(
        tokens
    )
    words = embedding.make(vocab, word_vectors)(words)
    words = options.recurrence.make_dropout(embedding.dropout, name="embedding_dropout")(words)
    if recurrence is None:
        sequences = pooling.needs_sequences
        recurrence = options.recurrence.make(return_sequences=sequences, return_state=False)
    text, outputs = recurrence(words), {}
    if pooling.needs_sequences:
        if getattr(pooling, "words", False):
            text = layers.Concatenate(name="steps")([text, words])
        text, outputs["alignments"] = _make_pooling(options)(text)
    if options.hidden_units:
        text = layers.Dropout(options.dropout, name="text_dropout")(text)
        text = layers.Dense(options.hidden_units, activation="relu", name="hidden")(text)
    text = layers.Dropout(options.dropout, name="classifier_dropout")(text)
    logits = layers.Dense(classes, dtype="float32", name="logits")(text)
    return keras.Model(tokens, {"logits": logits, **outputs}, name="text_classifier")
