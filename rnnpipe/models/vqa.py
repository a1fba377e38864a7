"""Show, Ask, Attend, and Answer: a question, a grid of image features, and where to attend.

Kazemi & Elqursh 2017, arXiv:1704.03162.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnnpipe.parts.attention import AdditiveAttentionOptions, AttentionOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.image_encoders import CNNOptions, ImageEncoderOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.text.word_vectors import WordVectors

if TYPE_CHECKING:
    import keras


class VqaOptions(Settings):
    """Show, Ask, Attend, and Answer (Kazemi & Elqursh 2017)."""

    image_encoder: ImageEncoderOptions = CNNOptions()
    # Keras' default scale of at most 0.05 leaves the LSTM blind to the words for some epochs.
    embedding: EmbeddingOptions = EmbeddingOptions(size=128, scale=1.0)
    question_encoder: RecurrenceOptions = RecurrenceOptions()
    fusion_units: int = setting(128, "in which question and image are multiplied", ge=1)
    attention: AttentionOptions = AdditiveAttentionOptions(glimpses=2, activation="relu")
    hidden_units: int = setting(512, "of the layer before the answers", ge=1)
    dropout: float = fraction(help="of that layer's inputs and outputs, in training")

    def check(self) -> None:
        """The attention reads the grid of an image."""
        self.attention.check_reads_grids("attention")


def build_vqa_model(
    options: VqaOptions,
    *,
    image_shape: Sequence[int],
    vocab: int,
    answers: int,
    word_vectors: WordVectors | None = None,
    image_encoder: "keras.Model | None" = None,
    question_encoder: "keras.layers.Layer | None" = None,
) -> "keras.Model":
    """A model that answers questions about images, and where it attends.

    Several questions may be about one image, whose grid is then computed once.

        grid    = encoder(image)[image_index]                (batch, rows, columns, channels)
        state   = recurrence(embed(question))                (batch, units)
        joint   = relu(W3 relu(W1 grid ∘ W2 state))          (batch, rows, columns, units)
        context = attention of state over [grid; joint]
        logits  = W5 relu(W4 [context; state; U context ∘ V state; Σ joint])

    `∘` is the elementwise product: a bilinear meeting of image and question of low rank, after
    Kim et al. 2017, "Hadamard Product for Low-rank Bilinear Pooling", section 3. The sum over the
    cells tells how many there are of what was asked about, which a weighted mean cannot tell.

    Args:
        options: of its parts.
        image_shape: of an image, `(height, width, 3)`, or of its features `(rows, columns,
            channels)`.
        vocab: number of question tokens.
        answers: number of answers to choose from.
        word_vectors: what the embeddings of some words begin with; None: random ones.
        image_encoder: a Keras model in the place of that part, from images to a grid.
        question_encoder: a Keras layer in the place of that part, from `(batch, time, embedding)`
            to `(batch, units)`.

    Returns:
        A model from `{"image": what the encoder takes, "image_index": (batch,) int, "question":
        (batch, time) int}`, where `image_index` is the image of a question, to `{"logits": (batch,
        answers), "alignments": (batch, glimpses, rows, columns)}`.
    """
    import keras
    from keras import layers, ops

    from rnnpipe.models.outputs import name_alignments

    encoder = image_encoder or options.image_encoder.make(image_shape)
    image = keras.Input(encoder.input.shape[1:], dtype=encoder.input.dtype, name="image")
    image_index = keras.Input((), dtype="int32", name="image_index")
    question = keras.Input((None,), dtype="int32", name="question")

    grid = ops.take(encoder(image), image_index, axis=0)
    embedding = options.embedding.make(vocab, word_vectors)
    state = _encode_question(options, question, embedding, question_encoder)
    units = options.fusion_units
    joint = layers.ReLU()(_multiply(grid, state[:, None, None, :], units, "joint"))
    joint = layers.Dense(units, activation="relu", name="joint")(joint)
    attention = options.attention.make(name="attention")
    context, alignments = attention(state, layers.Concatenate()([grid, joint]))
    logits = _classify(options, context, state, joint, answers)
    return keras.Model(
        {"image": image, "image_index": image_index, "question": question},
        {"logits": logits, **name_alignments(alignments)},
        name="show_ask_attend_answer",
    )


def _encode_question(options: VqaOptions, question: Any, embedding: Any, encoder: Any) -> Any:
    """The state after the last word, `(batch, units)`."""
    from keras import layers

    from rnnpipe.layers import WordDropout

    dropout, word_dropout = options.embedding.dropout, options.embedding.word_dropout
    tokens = WordDropout(word_dropout, name="word_dropout")(question)
    words = layers.Dropout(dropout, name="question_dropout")(embedding(tokens))
    if encoder is None:
        encoder = options.question_encoder.make(
            return_sequences=False, return_state=False, name="question_encoder"
        )
    return encoder(words)


def _classify(options: VqaOptions, context: Any, state: Any, joint: Any, answers: int) -> Any:
    """The logits of the answers; `joint` is `(batch, rows, columns, units)`."""
    from keras import layers, ops

    cells = math.sqrt(joint.shape[1] * joint.shape[2])
    fused = [
        context,
        state,
        _multiply(context, state, options.fusion_units, "fused"),
        ops.sum(joint, axis=(1, 2)) / cells,
    ]
    fused = layers.Dropout(options.dropout)(layers.Concatenate(name="fused")(fused))
    hidden = layers.Dense(options.hidden_units, activation="relu", name="hidden")(fused)
    return layers.Dense(answers, dtype="float32", name="logits")(
        layers.Dropout(options.dropout)(hidden)
    )


def _multiply(image: Any, question: Any, units: int, name: str) -> Any:
    """Both projected to the same units and multiplied, unit by unit."""
    from keras import layers

    image = layers.Dense(units, name=f"{name}_image")(image)
    question = layers.Dense(units, name=f"{name}_question")(question)
    return layers.Multiply(name=f"{name}_product")([image, question])
