"""A language model with the layers of a text classifier, which these are pretrained in."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnpipe.models.text_classifier import TextClassifierOptions
from rnnpipe.text.tokens import PAD, UNKNOWN
from rnnpipe.text.word_vectors import WordVectors

if TYPE_CHECKING:
    import keras


def build_text_language_model(
    options: TextClassifierOptions,
    *,
    vocab: int,
    dropout: float,
    word_vectors: WordVectors | None = None,
) -> "keras.Model":
    """What a text classifier's recurrent layers predict of each word's neighbours.

        hₜ = recurrence(embed(tokens))        nextₜ = W hₜ
        h→ₜ, h←ₜ of two directions            nextₜ = W→ h→ₜ     previousₜ = W← h←ₜ

    A direction has read no word that it predicts: forwards it knows the words up to t and predicts
    the one after them, backwards those from t on and predicts the one before. Of several
    bidirectional layers it has the lowest alone, as those above read both directions. Features are
    as wide as the embedding, which they are compared with (see `TextPretrainer`).

    The layers `embedding` and `recurrence` have the weights of a classifier of these options.

    Args:
        options: those of the classifier.
        vocab: number of tokens.
        dropout: of the states before W, in training.
        word_vectors: what the embeddings of some tokens begin with; None: random ones.

    Returns:
        A model from `(batch, time)` token ids to `{"next": (batch, time, embedding)}`, and
        `previous` likewise where there are two directions.

    Example:
        >>> model = build_text_language_model(TextClassifierOptions(), vocab=50, dropout=0.1)
        >>> {name: value.shape for name, value in model.output.items()}
        {'next': (None, None, 128), 'previous': (None, None, 128)}

    Source: Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, 2018,
    with models of either direction; as one model with shared embeddings: Peters et al., Deep
    Contextualized Word Representations, 2018, section 3.1.
    """
    import keras
    from keras import layers

    from rnnpipe.layers import WordDropout

    embedding, recurrence = options.embedding, options.recurrence
    if recurrence.bidirectional:
        recurrence = replace(recurrence, depth=1, dropout=0.0, connection=None)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    words = WordDropout(embedding.word_dropout, unknown=UNKNOWN, padding=PAD, name="word_dropout")(
        tokens
    )
    words = embedding.make(vocab, word_vectors)(words)
    size = words.shape[-1]
    words = recurrence.make_dropout(embedding.dropout, name="embedding_dropout")(words)
    states = recurrence.make(return_sequences=True, return_state=False)(words)
    states = recurrence.make_dropout(dropout, name="output_dropout")(states)
    directions: dict[str, Any] = {"next": states}
    if recurrence.bidirectional:
        units = recurrence.cell.output_size
        directions = {"next": states[..., :units], "previous": states[..., units:]}
    features = {
        name: layers.Dense(size, use_bias=False, name=name)(states)
        for name, states in directions.items()
    }
    return keras.Model(tokens, features, name="text_language_model")
