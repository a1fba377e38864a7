"""Show, Ask, Attend, and Answer: a question, a grid of image features, and where to look.

Kazemi & Elqursh 2017, arXiv:1704.03162.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from rnnpipe.layers import LSTM, AdditiveAttention
from rnnpipe.models.image_encoders import build_cnn


def build_vqa_model(
    *,
    image_size: int,
    vocab: int,
    answers: int,
    patch: int = 4,
    channels: Sequence[int] = (32, 64),
    image_dropout: float = 0.0,
    embedding: int = 128,
    question_units: int = 256,
    question_dropout: float = 0.0,
    fusion_units: int = 128,
    attention_units: int = 256,
    attention_dropout: float = 0.0,
    glimpses: int = 2,
    classifier_units: int = 512,
    classifier_dropout: float = 0.0,
) -> keras.Model:
    """A model that answers questions about images and says where it looked.

    Several questions may be about one image, whose grid is then computed once.

        grid    = CNN(image)[image_index]                    (batch, rows, columns, channels)
        state   = LSTM(embed(question))                      (batch, units)
        joint   = relu(W3 relu(W1 grid ∘ W2 state))          (batch, rows, columns, units)
        context = glimpses of additive attention of state over [grid; joint]
        logits  = W5 relu(W4 [context; state; U context ∘ V state; Σ joint])

    `∘` is the elementwise product: a bilinear meeting of image and question of low rank, after
    Kim et al. 2017, "Hadamard Product for Low-rank Bilinear Pooling", section 3. The sum over the
    cells tells how many there are of what was asked about, which a weighted mean cannot tell.

    Args:
        image_size: height and width of the images, in pixels.
        vocab: number of question tokens.
        answers: number of answers to choose from.
        patch: patch size of the image encoder, in pixels, see `build_cnn`.
        channels: channels of its stages.
        image_dropout: share of the grid's channels dropped in training.
        embedding: size of the question tokens' embeddings.
        question_units: units of the question's LSTM.
        question_dropout: share of the embeddings' features dropped in training.
        fusion_units: units in which the question and the image are multiplied.
        attention_units: units in which the question and the grid are compared.
        attention_dropout: share of these units dropped in training.
        glimpses: how many alignments over the grid are made.
        classifier_units: units of the hidden layer before the answers.
        classifier_dropout: share of its inputs and units dropped in training.

    Returns:
        A model from `{"image": (images, height, width, channels) uint8, "image_index": (batch,)
        int, "question": (batch, time) int}`, where `image_index` says which image a question is
        about, to `{"logits": (batch, answers), "alignments": (batch, glimpses, rows, columns)}`.
    """
    image = keras.Input((image_size, image_size, 3), dtype="uint8", name="image")
    image_index = keras.Input((), dtype="int32", name="image_index")
    question = keras.Input((None,), dtype="int32", name="question")

    grid = build_cnn(image_size, patch=patch, channels=channels, dropout=image_dropout)(image)
    grid = ops.take(grid, image_index, axis=0)
    words = layers.Embedding(
        vocab,
        embedding,
        mask_zero=True,
        # Keras' default of at most 0.05 leaves the LSTM blind to the words for the first epochs.
        embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0),
        name="embedding",
    )(question)
    words = layers.Dropout(question_dropout, name="question_dropout")(words)
    state = LSTM(question_units, name="question_encoder")(words)

    joint = layers.ReLU()(_multiply(grid, state[:, None, None, :], fusion_units, "joint"))
    joint = layers.Dense(fusion_units, activation="relu", name="joint")(joint)
    rows, columns = grid.shape[1:3]
    context, alignments = AdditiveAttention(
        attention_units,
        glimpses=glimpses,
        activation="relu",
        dropout=attention_dropout,
        name="attention",
    )(state, layers.Concatenate()([grid, joint]))

    fused = layers.Concatenate(name="fused")(
        [
            context,
            state,
            _multiply(context, state, fusion_units, "fused"),
            ops.sum(joint, axis=(1, 2)) / math.sqrt(rows * columns),
        ]
    )
    fused = layers.Dropout(classifier_dropout)(fused)
    hidden = layers.Dense(classifier_units, activation="relu", name="hidden")(fused)
    hidden = layers.Dropout(classifier_dropout)(hidden)
    logits = layers.Dense(answers, dtype="float32", name="logits")(hidden)
    return keras.Model(
        {"image": image, "image_index": image_index, "question": question},
        {"logits": logits, "alignments": alignments},
        name="show_ask_attend_answer",
    )


def _multiply(image: Any, question: Any, units: int, name: str) -> Any:
    """Both projected to the same units and multiplied, unit by unit."""
    image = layers.Dense(units, name=f"{name}_image")(image)
    question = layers.Dense(units, name=f"{name}_question")(question)
    return layers.Multiply(name=f"{name}_product")([image, question])
