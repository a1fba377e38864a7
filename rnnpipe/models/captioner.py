"""Captioners: an image in, the words about it out, one to many.

Vinyals et al. 2015, arXiv:1411.4555; Xu et al. 2015, arXiv:1502.03044; Rennie et al. 2017,
arXiv:1612.00563; Anderson et al. 2018, arXiv:1707.07998.
"""

from typing import Any, Literal

import keras
from keras import layers, ops

from rnnpipe.decoding import RowwiseStep, Step
from rnnpipe.layers import (
    LSTM,
    AdditiveAttention,
    Att2InCell,
    AttentionDecoder,
    Bridge,
    GatedAttention,
    HardAttention,
    LSTMCell,
)

Kind = Literal["nic", "soft", "hard", "att2in", "top_down"]


def build_captioner(
    encoder: keras.Model,
    *,
    kind: Kind = "soft",
    vocab: int,
    embedding: int = 256,
    units: int = 512,
    attention_units: int = 512,
    dropout: float = 0.0,
    expected_share: float = 0.5,
) -> keras.Model:
    """A model that says what is in an image, word by word, and where it looks while it does.

        "nic"       (h₀, c₀) = LSTM(norm(W mean(grid)))   the image is the first word, normalised
                    over the batch; no attention
        "soft"      Show, Attend and Tell: (h₀, c₀) = tanh(W mean(grid)), gated additive attention
                    before each step, a deep output
        "hard"      the same, but it looks at one cell of the grid at a time
        "att2in"    what attention finds goes into the LSTM's cell, past its gates
        "top_down"  a first LSTM sees the whole image and asks, a second one tells

    Several captions may be about one image, whose grid is then computed once.

    Args:
        encoder: from images to a grid `(images, rows, columns, channels)`, by the name of
            `image_encoder`, as those of `rnnpipe.models.image_encoders` have it.
        kind: which of them.
        vocab: number of tokens.
        embedding: size of the tokens' embeddings.
        units: of each LSTM.
        attention_units: units in which LSTM and grid are compared.
        dropout: share of the words' features and of the readout's that is dropped in training.
        expected_share: of hard attention, see `HardAttention`.

    Returns:
        A model from `{"image": what the encoder takes, "image_index": (batch,) int, "caption":
        (batch, time) int}`, where `image_index` says which image a caption is about and `caption`
        begins with the start token, to `{"logits": (batch, time, vocab), "alignments": (batch,
        time, rows, columns)}`. NIC has no alignments; hard attention has `probabilities` too, of
        which the alignments were drawn.

    Example:
        >>> import numpy
        >>> from rnnpipe.models.image_encoders import build_cnn
        >>> model = build_captioner(build_cnn(16, channels=[4]), vocab=9, embedding=4, units=4)
        >>> images, captions = numpy.zeros((1, 16, 16, 3), "uint8"), numpy.array([[2, 4], [2, 5]])
        >>> inputs = {"image": images, "image_index": numpy.zeros(2, int), "caption": captions}
        >>> {name: tuple(each.shape) for name, each in model(inputs).items()}
        {'logits': (2, 2, 9), 'alignments': (2, 2, 4, 4)}
    """
    image = keras.Input(encoder.input.shape[1:], dtype=encoder.input.dtype, name="image")
    image_index = keras.Input((), dtype="int32", name="image_index")
    caption = keras.Input((None,), dtype="int32", name="caption")
    # As large as what a trained embedding has: Keras' own start is too small to be heard.
    start = keras.initializers.RandomNormal(stddev=embedding**-0.5)
    words = layers.Embedding(vocab, embedding, embeddings_initializer=start, name="embedding")
    grid = encoder(image)
    if kind == "nic":
        outputs = _tell(grid, image_index, caption, words, vocab, units, dropout)
    else:
        decoder = AttentionDecoder(
            vocab,
            words,
            dropout=dropout,
            name="decoder",
            **_parts(kind, units, attention_units, grid.shape[-1], expected_share),
        )
        outputs = _attend_and_tell(grid, image_index, caption, decoder)
    return keras.Model(
        {"image": image, "image_index": image_index, "caption": caption}, outputs, name=kind
    )


def begin_captioning(
    model: keras.Model, image: Any, *, beam_width: int | None = None
) -> tuple[Step, Any]:
    """A captioner's step and first state for images, as `rnnpipe.decoding` takes them.

    Args:
        model: what `build_captioner` made, trained or loaded.
        image: `(batch, ...)`, what its encoder takes.
        beam_width: how many rows the decoding has for each image: then what
            never changes is repeated once, and not gathered at each step.

    Returns:
        The step, whose alignments are `(batch, rows, columns)` if there are any, and its first
        state.
    """
    grid = model.get_layer("image_encoder")(image, training=False)
    names = {layer.name for layer in model.layers}
    if "decoder" not in names:
        return _begin_telling(model, grid)
    first = model.get_layer("bridge")(_mean(grid)) if "bridge" in names else None
    step, state = model.get_layer("decoder").begin(grid, None, first, beam_width=beam_width)

    def look(tokens: Any, state: Any) -> tuple[Any, Any, Any]:
        logits, state, alignments = step(tokens, state)
        if isinstance(alignments, dict):
            alignments = alignments["samples"]
        return logits, state, alignments[:, 0]

    return look, state


def _parts(
    kind: str, units: int, attention_units: int, channels: int, expected_share: float
) -> dict[str, Any]:
    """What the decoder of each kind is made of."""
    attention: Any = AdditiveAttention(attention_units)
    if kind == "att2in":
        cell = Att2InCell(units, channels)
        return {"cell": cell, "attention": attention, "architecture": "bahdanau", "output": "state"}
    if kind == "top_down":
        cells = [LSTMCell(units), LSTMCell(units)]
        return {
            "cell": cells,
            "attention": attention,
            "architecture": "top_down",
            "output": "state",
        }
    if kind == "hard":
        attention = HardAttention(attention, expected_share=expected_share)
    gated = GatedAttention(attention)
    return {
        "cell": LSTMCell(units),
        "attention": gated,
        "architecture": "bahdanau",
        "output": "deep",
    }


def _attend_and_tell(
    grid: Any, image_index: Any, caption: Any, decoder: AttentionDecoder
) -> dict[str, Any]:
    first = None
    if isinstance(decoder.cell.attention, GatedAttention):
        states = Bridge(decoder.state_sizes, name="bridge")(_mean(grid))
        first = [ops.take(state, image_index, axis=0) for state in states]
    memory = ops.take(grid, image_index, axis=0)
    logits, alignments = decoder(caption, memory, initial_state=first)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    if not isinstance(alignments, dict):
        return {"logits": logits, "alignments": alignments[:, :, 0]}
    looks = {"alignments": alignments["samples"], "probabilities": alignments["probabilities"]}
    return {"logits": logits, **{name: each[:, :, 0] for name, each in looks.items()}}


def _tell(
    grid: Any,
    image_index: Any,
    caption: Any,
    embedding: layers.Embedding,
    vocab: int,
    units: int,
    dropout: float,
) -> dict[str, Any]:
    """NIC: the LSTM reads the image, then the words."""
    lstm = LSTM(units, return_sequences=True, return_state=True, name="lstm")
    image_word = layers.Dense(embedding.output_dim, name="image_word")(_mean(grid))
    # What all images have in common drowns what tells them apart, and one sentence is said of all.
    image_word = layers.BatchNormalization(momentum=0.9, name="image_norm")(image_word)
    _, *first = lstm(image_word[:, None])
    words = layers.Dropout(dropout, name="word_dropout")(embedding(caption))
    first = [ops.take(state, image_index, axis=0) for state in first]
    said, *_ = lstm(words, initial_state=first)
    said = layers.Dropout(dropout, name="dropout")(said)
    return {"logits": layers.Dense(vocab, dtype="float32", name="logits")(said)}


def _begin_telling(model: keras.Model, grid: Any) -> tuple[Step, Any]:
    image_word, image_norm, embedding, lstm, logits = (
        model.get_layer(name)
        for name in ("image_word", "image_norm", "embedding", "lstm", "logits")
    )
    _, *first = lstm(image_norm(image_word(_mean(grid)), training=False)[:, None])

    def step(tokens: Any, state: Any) -> tuple[Any, Any]:
        said, *after = lstm(embedding(tokens[:, None]), initial_state=list(state))
        return logits(said[:, 0]), tuple(after)

    return RowwiseStep(step), tuple(first)


def _mean(grid: Any) -> Any:
    """The mean over the cells of a grid, `(batch, channels)`."""
    return ops.mean(grid, axis=(1, 2))
