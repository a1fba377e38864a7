"""Show, Ask, Attend, and Answer: a question, a grid of image features, and where to look.

Kazemi & Elqursh 2017, arXiv:1704.03162.
"""

from collections.abc import Sequence

import keras
from keras import layers

from rnnpipe.layers import LSTM, AdditiveAttention
from rnnpipe.models.image_encoders import build_cnn


def build_vqa_model(
    *,
    image_size: int,
    vocab: int,
    answers: int,
    channels: Sequence[int] = (32, 64, 128),
    image_dropout: float = 0.0,
    embedding: int = 128,
    question_units: int = 256,
    question_dropout: float = 0.0,
    attention_units: int = 256,
    attention_dropout: float = 0.0,
    glimpses: int = 2,
    classifier_units: int = 512,
    classifier_dropout: float = 0.0,
) -> keras.Model:
    """A model that answers questions about images and says where it looked.

        grid      = CNN(image)                                     (batch, rows, columns, channels)
        state     = LSTM(embed(question))                          (batch, units)
        context_g = sum_l alignment_gl · grid_l                    for each glimpse g
        logits    = W2 relu(W1 [context_1; …; context_G; state])   (batch, answers)

    Args:
        image_size: height and width of the images, in pixels.
        vocab: number of question tokens.
        answers: number of answers to choose from.
        channels: channels of each stage of the image encoder; every stage halves the grid.
        image_dropout: share of the grid's channels dropped in training.
        embedding: size of the question tokens' embeddings.
        question_units: units of the question's LSTM.
        question_dropout: share of the embeddings' features dropped in training.
        attention_units: units in which the question and the grid are compared.
        attention_dropout: share of these units dropped in training.
        glimpses: how many alignments over the grid are made.
        classifier_units: units of the hidden layer before the answers.
        classifier_dropout: share of its inputs and units dropped in training.

    Returns:
        A model from `{"image": (batch, height, width, channels) uint8, "question": (batch, time)
        int}` to `{"logits": (batch, answers), "alignments": (batch, glimpses, rows, columns)}`.
    """
    image = keras.Input((image_size, image_size, 3), dtype="uint8", name="image")
    question = keras.Input((None,), dtype="int32", name="question")

    grid = build_cnn(image_size, channels, dropout=image_dropout)(image)
    words = layers.Embedding(vocab, embedding, mask_zero=True, name="embedding")(question)
    words = layers.Dropout(question_dropout, name="question_dropout")(words)
    state = LSTM(question_units, name="question_encoder")(words)

    context, alignments = AdditiveAttention(
        attention_units,
        glimpses=glimpses,
        activation="relu",
        dropout=attention_dropout,
        name="attention",
    )(state, grid)

    fused = layers.Concatenate(name="fused")([context, state])
    fused = layers.Dropout(classifier_dropout)(fused)
    hidden = layers.Dense(classifier_units, activation="relu", name="hidden")(fused)
    hidden = layers.Dropout(classifier_dropout)(hidden)
    logits = layers.Dense(answers, dtype="float32", name="logits")(hidden)
    return keras.Model(
        {"image": image, "question": question},
        {"logits": logits, "alignments": alignments},
        name="show_ask_attend_answer",
    )
