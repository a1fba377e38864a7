"""Searches that drop rows which have ended find what those find that keep all rows."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from rnnpipe.decoding import Constraints, beam_search, gnmt_coverage, gnmt_length, greedy_search
from rnnpipe.text.tokens import END

TIME, VOCAB = 12, 9
FREE = Constraints(min_length=3, banned_tokens=[1, 2], no_repeat_ngram=2)
STRATEGIES = {
    "greedy": lambda step, state, max_lengths: greedy_search(
        step, state, max_length=TIME, max_lengths=max_lengths
    ),
    "greedy, constrained": lambda step, state, max_lengths: greedy_search(
        step, state, max_length=TIME, max_lengths=max_lengths, constraints=FREE
    ),
    "beam": lambda step, state, max_lengths: beam_search(
        step,
        state,
        beam_width=3,
        n_best=2,
        max_length=TIME,
        max_lengths=max_lengths,
        length_penalty=gnmt_length(1.0),
    ),
    "beam, constrained": lambda step, state, max_lengths: beam_search(
        step, state, beam_width=2, max_length=TIME, max_lengths=max_lengths, constraints=FREE
    ),
}
BOUND = {
    "prefix": {"constraints": Constraints(prefix=np.full((6, 1), 4))},
    "coverage": {"coverage_penalty": gnmt_coverage(0.2, np.ones((6, 4), "bool"))},
    "required_phrases": {"required_phrases": [[[5]]] * 6},
    "groups": {"groups": 2, "n_best": 2, "diversity": 0.5},
}


class Walker:
    """A step whose tables stay outside of the state, and that knows how many rows it was asked of.

    Args:
        tables: `(rows, vocab, vocab)`, the logits after each token.
    """

    def __init__(self, tables, asked=None):
        self.tables = ops.convert_to_tensor(tables)
        self.asked = [] if asked is None else asked

    def __call__(self, tokens, state):
        self.asked.append(tokens.shape[0])
        logits = ops.take_along_axis(self.tables, tokens[:, None, None], axis=1)[:, 0]
        return logits + state[:, None], state / 2, ops.softmax(logits[:, :4] + state[:, None])

    def select_rows(self, rows):
        return Walker(ops.take(self.tables, rows, axis=0), self.asked)


class Keeping(Walker):
    """The same step, which does not know how to take rows."""

    select_rows = None  # type: ignore[assignment]  # what makes it another kind of step


def walker(kind, rows, width, seed=0):
    random = np.random.default_rng(seed)
    tables = random.normal(size=(rows, VOCAB, VOCAB), scale=2.0).astype("float32")
    # So that some rows end soon and some late.
    tables[:, :, END] += np.linspace(-4, 4, rows)[random.permutation(rows), None]
    return kind(np.repeat(tables, width, axis=0)), np.arange(rows, dtype="float32") / rows


def width_of(strategy):
    return {"beam": 3, "beam, constrained": 2}.get(strategy, 1)


def agree(found, expected):
    for part, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 21])
def test_compaction_does_not_change_the_result(strategy, rows):
    max_lengths = np.random.default_rng(rows).integers(2, TIME + 1, rows)
    decode: Any = STRATEGIES[strategy]
    for bound in (None, max_lengths):
        runs = [
            decode(*walker(kind, rows, width_of(strategy), seed=rows), bound)
            for kind in (Walker, Keeping)
        ]
        found, expected = runs
        agree(found, expected)
        assert rows < 5 or len(set(found.lengths.numpy()[:, 0])) > 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_batch_shrinks_as_rows_end(strategy):
    width, max_lengths = width_of(strategy), np.linspace(1, TIME, 16).astype("int32")
    step, state = walker(Walker, 16, width)
    STRATEGIES[strategy](step, state, max_lengths)
    assert list(dict.fromkeys(step.asked)) == [16 * width, 8 * width, 4 * width]
    step, state = walker(Keeping, 16, width)
    STRATEGIES[strategy](step, state, max_lengths)
    assert set(step.asked) == {16 * width}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_graph_of_any_batch_has_the_same_results(strategy):
    width = width_of(strategy)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, VOCAB, VOCAB]),
            tf.TensorSpec([None]),
            tf.TensorSpec([None], tf.int32),
        ]
    )
    def search(tables, state, max_lengths):
        return STRATEGIES[strategy](Walker(tables), state, max_lengths)

    for rows in (1, 2, 7):
        max_lengths = np.random.default_rng(rows).integers(2, TIME + 1, rows).astype("int32")
        step, state = walker(Keeping, rows, width)
        agree(
            search(step.tables, state, max_lengths), STRATEGIES[strategy](step, state, max_lengths)
        )


@pytest.mark.parametrize("options", BOUND.values(), ids=BOUND)
def test_steps_bound_to_rows_are_not_compacted(options):
    step, state = walker(Walker, 6, 4)
    found = beam_search(step, state, beam_width=4, max_length=TIME, **options)
    assert set(step.asked) == {24}
    step, state = walker(Keeping, 6, 4)
    agree(found, beam_search(step, state, beam_width=4, max_length=TIME, **options))
