"""A recurrent translator: an encoder, a bridge, and a decoder that attends.

Bahdanau, Cho & Bengio 2015, arXiv:1409.0473; Luong, Pham & Manning 2015, arXiv:1508.04025.
"""

from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.models.ensemble import begin_ensemble, find_members
from rnnpipe.parts.attention import AdditiveAttentionOptions
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.parts.decoder import DecoderOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.text.tokens import PAD
from rnnpipe.text.word_vectors import WordVectors

if TYPE_CHECKING:
    import keras

    from rnnpipe.decoding import Step


class TranslatorOptions(Settings):
    """A recurrent encoder and decoder with attention."""

    embedding: EmbeddingOptions = EmbeddingOptions()
    share_embedding: bool = setting(True, "one embedding for both languages: a joint vocabulary")
    encoder: RecurrenceOptions = RecurrenceOptions(cell=GRUOptions(), bidirectional=True)
    memory_dropout: float = fraction(help="of the features that attention reads, in training")
    decoder: DecoderOptions = DecoderOptions(
        cell=GRUOptions(units=512),
        attention=AdditiveAttentionOptions(units=512),
        tie_weights=True,
    )

    def check(self) -> None:
        """Attention is what a translator translates by."""
        if self.decoder.attention is None:
            fix = "write e.g. {kind: additive}"
            raise UserError("decoder.attention", "a mechanism", "null", fix)


def build_translator(
    options: TranslatorOptions,
    *,
    source_vocab: int,
    target_vocab: int,
    source_vectors: WordVectors | None = None,
    target_vectors: WordVectors | None = None,
    encoder: "keras.layers.Layer | None" = None,
    decoder: "keras.layers.Layer | None" = None,
) -> "keras.Model":
    """A model that translates, and the source tokens that each target token came from.

        memory, h = encoder(embed(source))             memory (batch, source_time, features)
        s₀        = tanh(W h + b)                      the bridge
        logits    = decoder(target, memory, s₀)        input feeding and attention

    Args:
        options: of its parts.
        source_vocab: number of source tokens.
        target_vocab: number of target tokens.
        source_vectors: what the embeddings of some source tokens begin with; None: random ones.
        target_vectors: the same of target tokens, and of all where both have one embedding.
        encoder: a Keras layer in the place of that part: from `(batch, source_time, features)` to a
            list of its sequences and its last states.
        decoder: an `AttentionDecoder` in the place of that part.

    Returns:
        A model from `{"source": (batch, source_time), "target": (batch, target_time)}`, ids of
        which `target` begins with the start token, to `{"logits": (batch, target_time, vocab),
        "alignments": (batch, target_time, source_time)}`, of the first glimpse; hard attention has
        `probabilities` of the same shape too.

    Raises:
        UserError: one embedding is asked for where there are two vocabularies.

    Example:
        >>> import numpy
        >>> options = TranslatorOptions(
        ...     embedding=EmbeddingOptions(size=8),
        ...     share_embedding=False,
        ...     encoder=RecurrenceOptions(cell=GRUOptions(units=8)),
        ...     decoder=DecoderOptions(cell=GRUOptions(units=8)),
        ... )
        >>> model = build_translator(options, source_vocab=9, target_vocab=7)
        >>> ids = {"source": numpy.array([[4, 5, 0]]), "target": numpy.array([[2, 4]])}
        >>> outputs = model(ids)
        >>> tuple(outputs["logits"].shape), tuple(outputs["alignments"].shape)
        ((1, 2, 7), (1, 2, 3))
    """
    import keras
    from keras import layers, ops

    from rnnpipe.layers import Bridge, WordDropout
    from rnnpipe.models.outputs import first_glimpse, name_alignments

    _check_vocabularies(options, source_vocab, target_vocab)
    embedding = options.embedding
    words = embedding.make(target_vocab, target_vectors, name="target_embedding")
    features = None if encoder else options.encoder.output_size
    decoder = decoder or options.decoder.make(target_vocab, words, memory_features=features)
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    share = options.share_embedding
    table = (
        words if share else embedding.make(source_vocab, source_vectors, name="source_embedding")
    )
    embedded = _embed_source(embedding, table, source)
    encoder = encoder or options.encoder.make(name="encoder")
    memory, *last = encoder(embedded)
    memory = layers.Dropout(options.memory_dropout, name="memory")(memory)
    depth = getattr(encoder, "depth", None)  # of a `RecurrentStack`
    first = Bridge(decoder.state_sizes, options.decoder.bridge, layers=depth, name="bridge")(last)
    logits, alignments = decoder(
        WordDropout(embedding.word_dropout, name="target_word_dropout")(target),
        memory,
        mask=ops.not_equal(source, PAD),
        initial_state=first,
    )
    return keras.Model(
        {"source": source, "target": target},
        {"logits": logits, **first_glimpse(name_alignments(alignments))},
        name="translator",
    )


def _check_vocabularies(options: TranslatorOptions, source_vocab: int, target_vocab: int) -> None:
    if options.share_embedding and source_vocab != target_vocab:
        sizes = f"{source_vocab} and {target_vocab} tokens"
        fix = "write data.text.joint: true, or model.share_embedding: false"
        raise UserError("model.share_embedding", "one vocabulary of both languages", sizes, fix)


def _embed_source(embedding: EmbeddingOptions, table: Any, source: Any) -> Any:
    from keras import layers

    from rnnpipe.layers import WordDropout

    words = table(WordDropout(embedding.word_dropout, name="source_word_dropout")(source))
    return layers.SpatialDropout1D(embedding.dropout, name="embedding_dropout")(words)


def begin_translation(
    model: "keras.Model", source: Any, *, beam_width: int | None = None
) -> "tuple[Step, Any]":
    """A translator's step and first state for sources, as `rnnpipe.decoding` takes them.

    Args:
        model: what `build_translator` made, trained or loaded, or an ensemble of such models.
        source: `(batch, source_time)` ids.
        beam_width: how many rows the decoding makes of each source: then what never changes is
            repeated once, and not gathered at each step.

    Returns:
        The step, whose alignments are `(batch, glimpses, source_time)`, and its first state.
    """
    if members := find_members(model):
        return begin_ensemble(begin_translation, members, source, beam_width=beam_width)
    import keras

    outputs = keras.tree.flatten([model.get_layer(name).output for name in ("memory", "bridge")])
    memory, *first = keras.Model(model.input["source"], outputs)(source, training=False)
    decoder = model.get_layer("decoder")
    mask = keras.ops.not_equal(source, PAD)
    step, state = decoder.begin(memory, mask, first, beam_width=beam_width)
    return (_with_samples(step) if "probabilities" in model.output else step), state


def _with_samples(step: "Step") -> "Step":
    """The step of hard attention, whose alignments are its samples alone."""

    def step_with_samples(tokens: Any, state: Any) -> tuple[Any, Any, Any]:
        logits, state, alignments = step(tokens, state)
        return logits, state, alignments["samples"]

    return step_with_samples
