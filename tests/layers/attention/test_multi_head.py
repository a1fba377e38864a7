"""Multi-head attention against Keras' own."""

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.layers import DotAttention, MultiHeadAttention
from tests.layers.comparing import close


@pytest.mark.parametrize(
    "options", [{}, {"value_dim": 2}, {"output_shape": 7}, {"use_bias": False}], ids=str
)
def test_weights_of_keras_have_the_outputs_of_keras(random, options):
    theirs = keras.layers.MultiHeadAttention(3, 4, **options)
    ours = MultiHeadAttention(3, 4, **options)
    query, memory = random.normal(size=(2, 5)), random.normal(size=(2, 6, 8))
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 0, 1, 0, 0, 0]], bool)
    theirs.build((None, 1, 5), (None, 6, 8))
    ours.build((None, 5), (None, 6, 8))
    ours.set_weights([random.normal(size=weight.shape) for weight in theirs.get_weights()])
    theirs.set_weights(ours.get_weights())
    context, alignments = ours(query, memory, mask)
    expected, scores = theirs(
        query[:, None], memory, attention_mask=mask[:, None], return_attention_scores=True
    )
    close(context, expected[:, 0])
    close(alignments, scores[:, :, 0])


def test_dropout_only_in_training_and_not_in_the_alignments(random):
    layer = MultiHeadAttention(2, 3, dropout=0.5, seed=1)
    given = random.normal(size=(2, 5)), random.normal(size=(2, 6, 8))
    context, alignments = layer(*given)
    other, same = layer(*given, training=True)
    close(same, alignments)
    assert np.abs(other - context).max() > 1e-3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MultiHeadAttention(0, 4), "expected num_heads of at least 1, got 0"),
        (lambda: MultiHeadAttention(2, 0), "expected key_dim of at least 1, got 0"),
        (lambda: MultiHeadAttention(2, 4, 0), "expected value_dim of at least 1, got 0"),
        (
            lambda: MultiHeadAttention(2, 4, output_shape=0),
            "expected output_shape of at least 1, got 0",
        ),
        (lambda: DotAttention("cube"), "a scale of None, 'sqrt' or 'learned', got 'cube'"),
        (
            lambda: DotAttention()(np.ones((1, 2)), np.ones((1, 5, 3))),
            "as many features in the query as in the memory, got 2 and 3; project one of them",
        ),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()
