"""Captioners: an image in, its description out, one to many.

Vinyals et al. 2015, arXiv:1411.4555; Xu et al. 2015, arXiv:1502.03044; Rennie et al. 2017,
arXiv:1612.00563; Anderson et al. 2018, arXiv:1707.07998.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import located
from rnnpipe.models.ensemble import begin_ensemble, find_members
from rnnpipe.parts.attention import AdditiveAttentionOptions
from rnnpipe.parts.attention_wrappers import GatedAttentionOptions
from rnnpipe.parts.decoder import DecoderOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.image_encoders import CNNOptions, ImageEncoderOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.settings import Settings
from rnnpipe.text.word_vectors import WordVectors

if TYPE_CHECKING:
    import keras

    from rnnpipe.decoding import Step


_OF_ATTENTION = (
    "architecture",
    "input_feeding",
    "output",
    "output_size",
    "tie_weights",
    "bridge",
    "scheduled_sampling",
)
"""The settings of a decoder that one without attention has no use for."""


class CaptionerOptions(Settings):
    """An image encoder and a decoder: by default Show, Attend and Tell (Xu et al. 2015).

    With `decoder.attention` null it is Show and Tell (Vinyals et al. 2015): the image is the first
    word, and the decoder never sees it again.
    """

    image_encoder: ImageEncoderOptions = CNNOptions()
    embedding: EmbeddingOptions = EmbeddingOptions()
    decoder: DecoderOptions = DecoderOptions(
        attention=GatedAttentionOptions(mechanism=AdditiveAttentionOptions(units=512)),
        architecture="bahdanau",
        output="deep",
    )

    def check(self) -> None:
        """The attention reads the grid of an image; without it the decoder has fewer settings."""
        if self.decoder.attention is not None:
            self.decoder.attention.check_reads_grids("decoder.attention")
            return
        with located("decoder"):
            for name in _OF_ATTENTION:
                self.decoder.require_default(name, "without attention", type(self).decoder)


def build_captioner(
    options: CaptionerOptions,
    *,
    vocab: int,
    image_shape: Sequence[int],
    word_vectors: WordVectors | None = None,
    image_encoder: "keras.Model | None" = None,
) -> "keras.Model":
    """A model that describes an image token by token, and where it attends at each token.

        grid   = encoder(image)                         (images, rows, columns, channels)
        s₀     = bridge(mean(grid))                     zeros without a bridge
        logits = decoder(caption, grid, s₀)

    Without attention, with the image normalised over the batch:

        s₀ = recurrence(norm(W mean(grid)))      logits = W recurrence(embed(caption), s₀)

    Several captions may be about one image, whose grid is then computed once.

    Args:
        options: of its parts.
        vocab: number of tokens.
        image_shape: of an image, `(height, width, 3)`, or of its features `(rows, columns,
            channels)`.
        word_vectors: what the embeddings of some tokens begin with; None: random ones.
        image_encoder: a Keras model in the place of that part, from images to a grid.

    Returns:
        A model from `{"image": what the encoder takes, "image_index": (batch,) int, "caption":
        (batch, time) int}`, where `image_index` is the image of a caption and `caption` begins with
        the start token, to `{"logits": (batch, time, vocab), "alignments": (batch, time, rows,
        columns)}`. Without attention there are no alignments; hard attention has `probabilities`
        too, of which the alignments were drawn.

    Example:
        >>> import numpy
        >>> from rnnpipe.parts.cells import LSTMOptions
        >>> options = CaptionerOptions(
        ...     image_encoder=CNNOptions(channels=(4,)), decoder=DecoderOptions(
        ...         cell=LSTMOptions(units=4), architecture="bahdanau"))
        >>> model = build_captioner(options, vocab=9, image_shape=(16, 16, 3))
        >>> images, captions = numpy.zeros((1, 16, 16, 3), "uint8"), numpy.array([[2, 4], [2, 5]])
        >>> inputs = {"image": images, "image_index": numpy.zeros(2, int), "caption": captions}
        >>> {name: tuple(value.shape) for name, value in model(inputs).items()}
        {'logits': (2, 2, 9), 'alignments': (2, 2, 4, 4)}
    """
    import keras

    encoder = image_encoder or options.image_encoder.make(image_shape)
    image = keras.Input(encoder.input.shape[1:], dtype=encoder.input.dtype, name="image")
    image_index = keras.Input((), dtype="int32", name="image_index")
    caption = keras.Input((None,), dtype="int32", name="caption")
    embedding = options.embedding.make(vocab, word_vectors)
    grid = encoder(image)
    make = _attend if options.decoder.attention else _show_once
    outputs = make(options, grid, image_index, caption, embedding)
    return keras.Model(
        {"image": image, "image_index": image_index, "caption": caption}, outputs, name="captioner"
    )


def begin_captioning(
    model: "keras.Model", image: Any, *, beam_width: int | None = None
) -> "tuple[Step, Any]":
    """A captioner's step and first state for images, as `rnnpipe.decoding` takes them.

    Args:
        model: what `build_captioner` made, trained or loaded, or an ensemble of such models.
        image: `(batch, ...)`, what its encoder takes.
        beam_width: how many rows the decoding makes of each image: then what never changes is
            repeated once, and not gathered at each step.

    Returns:
        The step, whose alignments are `(batch, rows, columns)` if there are any, and its first
        state.
    """
    if members := find_members(model):
        return begin_ensemble(begin_captioning, members, image, beam_width=beam_width)
    grid = model.get_layer("image_encoder")(image, training=False)
    names = {layer.name for layer in model.layers}
    if "decoder" not in names:
        return _begin_without_attention(model, grid)
    first = model.get_layer("bridge")(_mean(grid)) if "bridge" in names else None
    step, state = model.get_layer("decoder").begin(grid, None, first, beam_width=beam_width)

    def step_on_grid(tokens: Any, state: Any) -> tuple[Any, Any, Any]:
        logits, state, alignments = step(tokens, state)
        if isinstance(alignments, dict):
            alignments = alignments["samples"]
        return logits, state, alignments[:, 0]

    return step_on_grid, state


def _attend(
    options: CaptionerOptions, grid: Any, image_index: Any, caption: Any, embedding: Any
) -> dict[str, Any]:
    from keras import layers, ops

    from rnnpipe.layers import Bridge, WordDropout
    from rnnpipe.models.outputs import first_glimpse, name_alignments

    vocab, first = embedding.input_dim, None
    decoder = options.decoder.make(vocab, embedding, memory_features=grid.shape[-1])
    if options.decoder.bridge != "zeros":
        states = Bridge(decoder.state_sizes, options.decoder.bridge, name="bridge")(_mean(grid))
        first = [ops.take(state, image_index, axis=0) for state in states]
    memory = ops.take(grid, image_index, axis=0)
    words = WordDropout(options.embedding.word_dropout, name="word_dropout")(caption)
    logits, alignments = decoder(words, memory, initial_state=first)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return {"logits": logits, **first_glimpse(name_alignments(alignments))}


def _show_once(
    options: CaptionerOptions, grid: Any, image_index: Any, caption: Any, embedding: Any
) -> dict[str, Any]:
    """Show and Tell: the recurrence reads the image, then the words."""
    from keras import layers, ops

    from rnnpipe.layers import WordDropout

    decoder = options.decoder
    recurrence = RecurrenceOptions(cell=decoder.cell, depth=decoder.depth).make()
    image_word = layers.Dense(embedding.output_dim, name="image_word")(_mean(grid))
    # What all images have in common drowns their differences, and all get the same sentence.
    image_word = layers.BatchNormalization(momentum=0.9, name="image_norm")(image_word)
    _, *first = recurrence(image_word[:, None])
    caption = WordDropout(options.embedding.word_dropout, name="token_dropout")(caption)
    # A copy has no mask: padding comes last, where no loss counts it.
    words = ops.copy(layers.Dropout(decoder.dropout, name="word_dropout")(embedding(caption)))
    first = [ops.take(state, image_index, axis=0) for state in first]
    hidden, *_ = recurrence(words, initial_state=first)
    hidden = layers.Dropout(decoder.dropout, name="dropout")(hidden)
    vocab = embedding.input_dim
    return {"logits": layers.Dense(vocab, dtype="float32", name="logits")(hidden)}


def _begin_without_attention(model: "keras.Model", grid: Any) -> "tuple[Step, Any]":
    import keras

    from rnnpipe.decoding import RowwiseStep

    image_word, image_norm, embedding, recurrence, logits = (
        model.get_layer(name)
        for name in ("image_word", "image_norm", "embedding", "recurrence", "logits")
    )
    _, *first = recurrence(image_norm(image_word(_mean(grid)), training=False)[:, None])

    def step(tokens: Any, state: Any) -> tuple[Any, Any]:
        word = keras.ops.copy(embedding(tokens[:, None]))  # without a mask, as in training
        hidden, *after = recurrence(word, initial_state=list(state))
        return logits(hidden[:, 0]), tuple(after)

    return RowwiseStep(step), tuple(first)


def _mean(grid: Any) -> Any:
    """The mean over the cells of a grid, `(batch, channels)`."""
    from keras import ops

    return ops.mean(grid, axis=(1, 2))
