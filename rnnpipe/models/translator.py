"""A recurrent translator: a bidirectional encoder, a bridge, and a decoder that attends.

Bahdanau, Cho & Bengio 2015, arXiv:1409.0473; Luong, Pham & Manning 2015, arXiv:1508.04025.
"""

from typing import Any, Literal

import keras
from keras import layers, ops

from rnnpipe.decoding import Step
from rnnpipe.errors import UserError
from rnnpipe.layers import GRU, LSTM, AdditiveAttention, GRUCell, LSTMCell, RecurrentStack
from rnnpipe.layers.decoder import AttentionDecoder, Bridge
from rnnpipe.layers.decoder.readout import ReadoutKind
from rnnpipe.layers.word_dropout import WordDropout
from rnnpipe.text.tokens import PAD

Recurrence = Literal["gru", "lstm"]

_LAYERS = {"gru": GRU, "lstm": LSTM}
_CELLS = {"gru": GRUCell, "lstm": LSTMCell}


def build_translator(
    *,
    source_vocab: int,
    target_vocab: int,
    embedding: int = 256,
    share_embedding: bool = False,
    embedding_dropout: float = 0.0,
    word_dropout: float = 0.0,
    encoder: Recurrence = "gru",
    encoder_units: int = 256,
    encoder_depth: int = 1,
    encoder_dropout: float = 0.0,
    attention_units: int = 512,
    decoder: Recurrence = "gru",
    decoder_units: int = 512,
    decoder_depth: int = 1,
    decoder_dropout: float = 0.0,
    input_feeding: bool = True,
    output: ReadoutKind = "tanh",
    tie_weights: bool = False,
) -> keras.Model:
    """A model that translates and says which words of the source each word came from.

        memory, h = encoder(embed(source))             memory (batch, source_time, 2 · units)
        s₀        = tanh(W h + b)                      the bridge
        logits    = decoder(target, memory, s₀)        input feeding and additive attention

    Args:
        source_vocab: number of source tokens.
        target_vocab: number of target tokens.
        embedding: size of the tokens' embeddings.
        share_embedding: whether both languages have one embedding, of one vocabulary.
        embedding_dropout: share of the source embedding's features that is dropped in training,
            the same ones at every step of a sentence (Gal & Ghahramani 2016).
        word_dropout: share of the tokens, of both sides, that is hidden in training.
        encoder: its recurrence.
        encoder_units: units of each direction.
        encoder_depth: how many layers.
        encoder_dropout: share of the features dropped between layers, and of the memory.
        attention_units: units in which decoder and memory are compared.
        decoder: its recurrence.
        decoder_units: units of each layer.
        decoder_depth: how many layers.
        decoder_dropout: share of the target embedding's and of the readout's features dropped.
        input_feeding: whether the decoder reads what it read out last.
        output: the readout before the logits, see `AttentionDecoder`.
        tie_weights: whether the logits use the target embedding (Press & Wolf 2017).

    Returns:
        A model from `{"source": (batch, source_time), "target": (batch, target_time)}`, ids of
        which `target` begins with the start token, to `{"logits": (batch, target_time, vocab),
        "alignments": (batch, target_time, source_time)}`.

    Raises:
        UserError: one embedding is asked for where there are two vocabularies.

    Example:
        >>> import numpy
        >>> model = build_translator(
        ...     source_vocab=9, target_vocab=7, embedding=8, encoder_units=8, decoder_units=8
        ... )
        >>> ids = {"source": numpy.array([[4, 5, 0]]), "target": numpy.array([[2, 4]])}
        >>> found = model(ids)
        >>> tuple(found["logits"].shape), tuple(found["alignments"].shape)
        ((1, 2, 7), (1, 2, 3))
    """
    if share_embedding and source_vocab != target_vocab:
        sizes = f"{source_vocab} and {target_vocab} tokens"
        fix = "write data.text.joint: true, or model.embedding.share: false"
        raise UserError("model.embedding.share", "one vocabulary of both languages", sizes, fix)
    words = _embedding(target_vocab, embedding, "target_embedding")
    attend = AttentionDecoder(
        target_vocab,
        words,
        [_CELLS[decoder](decoder_units) for _ in range(decoder_depth)],
        AdditiveAttention(attention_units),
        input_feeding=input_feeding,
        output=output,
        tie_weights=tie_weights,
        dropout=decoder_dropout,
        name="decoder",
    )
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    embedded = _embed_source(
        source,
        words if share_embedding else _embedding(source_vocab, embedding, "source_embedding"),
        embedding_dropout,
        word_dropout,
    )
    layer = _LAYERS[encoder](encoder_units, return_sequences=True, return_state=True)
    stack = RecurrentStack(
        layer, encoder_depth, bidirectional=True, dropout=encoder_dropout, name="encoder"
    )
    memory, *last = stack(embedded)
    memory = layers.Dropout(encoder_dropout, name="memory")(memory)
    first = Bridge(attend.state_sizes, name="bridge")(last)
    logits, alignments = attend(
        WordDropout(word_dropout, name="target_word_dropout")(target),
        memory,
        mask=ops.not_equal(source, PAD),
        initial_state=first,
    )
    return keras.Model(
        {"source": source, "target": target},
        {"logits": logits, "alignments": alignments[:, :, 0]},
        name="translator",
    )


def begin_translation(
    model: keras.Model, source: Any, *, beam_width: int | None = None
) -> tuple[Step, Any]:
    """A translator's step and first state for sources, as `rnnpipe.decoding` takes them.

    Args:
        model: what `build_translator` made, trained or loaded.
        source: `(batch, source_time)` ids.
        beam_width: how many rows the decoding has for each source: then
            what never changes is repeated once, and not gathered at each step.

    Returns:
        The step, whose alignments are `(batch, 1, source_time)`, and its first state.
    """
    outputs = keras.tree.flatten([model.get_layer(name).output for name in ("memory", "bridge")])
    memory, *first = keras.Model(model.input["source"], outputs)(source, training=False)
    decoder = model.get_layer("decoder")
    return decoder.begin(memory, ops.not_equal(source, PAD), first, beam_width=beam_width)


def _embedding(vocab: int, size: int, name: str) -> layers.Embedding:
    # Where the logits use it too, they start at about the same size as with weights of their own.
    scale = keras.initializers.RandomNormal(stddev=size**-0.5)
    return layers.Embedding(vocab, size, mask_zero=True, embeddings_initializer=scale, name=name)


def _embed_source(
    source: Any, embedding: layers.Embedding, dropout: float, word_dropout: float
) -> Any:
    words = embedding(WordDropout(word_dropout, name="source_word_dropout")(source))
    return layers.SpatialDropout1D(dropout, name="embedding_dropout")(words)
