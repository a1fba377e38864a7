"""Wrong use names what was expected and what came."""

import re

import numpy as np
import pytest
from keras import ops

from rnnpipe.decoding import Constraints, beam_search, gnmt_coverage, greedy_search, sample
from rnnpipe.errors import UserError
from rnnpipe.text.tokens import END
from tests.decoding.steps import markov

STATE = np.zeros((2, 3), "float32")


def uniform(tokens, state):
    return ops.zeros((state.shape[0], 6)), state


def beam(*args, **options):
    return beam_search(*args, **{"beam_width": 2, **options})


def draw(*args, **options):
    return sample(*args, **{"seed": 1, **options})


every_way = pytest.mark.parametrize("decode", [greedy_search, draw, beam])


def complains(of, decode, step=uniform, state=STATE, **options):
    with pytest.raises(UserError, match=re.escape(of)):
        decode(step, state, **{"max_length": 4, **options})


@every_way
def test_lengths_and_ends(decode):
    complains("max_length: expected a whole number, at least 1, got 0", decode, max_length=0)
    complains("max_length: expected a whole number, at least 1, got 4.0", decode, max_length=4.0)
    complains("end: expected a token of the vocabulary, 0 to 5, got 6", decode, end=6)
    complains("end: expected a token of the vocabulary, got -1", decode, end=-1)


@every_way
def test_constraints_out_of_range_are_refused(decode):
    for constraints, complaint in [
        (Constraints(min_length=5), "min_length: expected at most max_length, 4, got 5"),
        (
            Constraints(banned_tokens=[3, 6, -1]),
            "banned_tokens: expected tokens of the vocabulary, 0 to 5, got",
        ),
        (
            Constraints(prefix=np.ones((2, 5), "int32")),
            "prefix: expected at most max_length, 4, tokens, got 5",
        ),
        (
            Constraints(prefix=[[6], [1, 2]]),
            "prefix: expected tokens of the vocabulary, 0 to 5, got [6]",
        ),
        (
            Constraints(prefix=np.ones((3, 2), "int32")),
            "prefix: expected 2 rows, as the batch has, got 3",
        ),
    ]:
        complains(complaint, decode, constraints=constraints)


def test_impossible_constraints_are_refused():
    with pytest.raises(UserError, match="min_length: expected a whole number, at least 0, got -1"):
        Constraints(min_length=-1)
    with pytest.raises(
        UserError, match="no_repeat_ngram: expected a whole number, at least 0, got -2"
    ):
        Constraints(no_repeat_ngram=-2)
    with pytest.raises(UserError, match=r"prefix: expected \(batch, prefix_time\), got \(3,\)"):
        Constraints(prefix=np.ones(3, "int32"))
    with pytest.raises(UserError, match=r"prefix: expected \(batch, prefix_time\), got \[1, 2\]"):
        Constraints(prefix=[1, 2])
    with pytest.raises(UserError, match="banned_tokens: expected a list of tokens, got 5"):
        Constraints(banned_tokens=5)


@every_way
def test_steps_with_other_results_are_refused(decode):
    for returned, complaint in [
        (lambda state: ops.zeros((2, 6)), "step: expected (logits, state) or (logits, state, ali"),
        (lambda state: (state,), "got 1 values"),
        (lambda state: (ops.zeros((2, 1, 6)), state), "step: expected logits (batch, vocab), got"),
        (lambda state: (ops.zeros((7, 6)), state), "rows, one for each token, got (7, 6)"),
        (
            lambda state: (ops.zeros((state.shape[0], 6)), [state, state]),
            "step: expected a new state of 1 tensors, nested like the old, got 2 tensors in a list",
        ),
        (
            lambda state: (ops.zeros((state.shape[0], 6)), ops.concatenate([state, state], axis=1)),
            "step: expected a new state of the old shape, (",
        ),
    ]:
        complains(complaint, decode, step=lambda _, state, returned=returned: returned(state))


@every_way
def test_max_lengths_apply_to_each_row(decode):
    for max_lengths in ([3], [[3, 3]], np.array([1, 2, 3])):
        complains("max_lengths: expected", decode, max_lengths=max_lengths)
    complains("max_lengths: expected lengths of at least 1, got 0", decode, max_lengths=[3, 0])


@every_way
def test_start_tokens(decode):
    complains(
        "start: expected a token, or one for each row (batch,), got (2, 1)",
        decode,
        start=[[1], [2]],
    )
    complains("start: expected tokens of the vocabulary, 0 to 5, got [6]", decode, start=6)
    complains("start: expected tokens of the vocabulary, 0 to 5, got [-1]", decode, start=[1, -1])
    complains("start: expected tokens (batch,), as an empty state", decode, state=())


def test_options_of_the_beam_are_checked():
    complains("beam_width: expected at most the vocabulary, 6, got 7", beam, beam_width=7)
    complains("beam_width: expected a whole number, at least 1, got 0", beam, beam_width=0)
    complains("n_best: expected at most beam_width, 2, got 3", beam, n_best=3)
    complains("n_best: expected a whole number, at least 1, got 0", beam, n_best=0)
    complains(
        "coverage_penalty: expected a step that returns alignments (batch, positions), got none",
        beam,
        coverage_penalty=gnmt_coverage(),
    )
    complains("length_penalty: expected a function, or None, got 0.6", beam, length_penalty=0.6)
    complains("coverage_penalty: expected a function, or None", beam, coverage_penalty=0.2)


@pytest.mark.parametrize("shape", [(2, 4), (3, 3), (2, 3, 1), (6,)])
def test_masks_of_another_shape_are_refused(shape):
    complains(
        f"mask: expected (batch, positions), here (2, 3), got {shape}",
        beam,
        step=lambda tokens, state: (*uniform(tokens, state), ops.softmax(state)),
        coverage_penalty=gnmt_coverage(0.2, np.ones(shape, "bool")),
    )


def test_options_of_groups_are_checked():
    complains("groups: expected a divisor of beam_width, 4, got 3", beam, beam_width=4, groups=3)
    complains("groups: expected a whole number, at least 1, got 0", beam, groups=0)
    complains("n_best: expected a multiple of the 2 groups, got 1", beam, groups=2)
    complains("diversity: expected 0 or more, got -1.0", beam, groups=2, n_best=2, diversity=-1.0)


@pytest.mark.parametrize(
    ("phrases", "complaint"),
    [
        ([[[4]], [[6]]], "expected tokens of the vocabulary, 0 to 5, got [6]"),
        ([[[4, END]], []], "expected phrases without the end token, got 3"),
        ([[[4]]], "expected 2 rows, as the batch has, got 1"),
        ([[[4] * 5], []], "expected phrases of at most max_length, 4, tokens, got 5"),
        ([[4], [5]], "expected (batch, phrases, phrase_time), got [[4], [5]]"),
        (np.ones((2, 3), "int32"), "expected (batch, phrases, phrase_time), got (2, 3)"),
        (np.ones((2, 0, 3), "int32"), "expected (batch, phrases, phrase_time), got (2, 0, 3)"),
    ],
)
def test_malformed_phrases_are_refused(phrases, complaint):
    complains(f"required_phrases: {complaint}", beam, required_phrases=phrases)


def test_options_of_sampling_are_checked():
    complains(
        "seed: expected an integer or a keras.random.SeedGenerator, got None", draw, seed=None
    )
    complains("samples: expected a whole number, at least 1, got 0", draw, samples=0)
    complains("temperature: expected above 0, got 0", draw, temperature=0)
    complains("top_k: expected a whole number, at least 1, got 0", draw, top_k=0)
    complains("top_p: expected above 0 and at most 1, got 1.5", draw, top_p=1.5)


def test_a_step_reads_the_token_chosen_last():
    seen = []
    step, state = markov(np.random.default_rng(1).normal(size=(2, 4, 6, 6)))

    def watched(tokens, state):
        seen.append(np.array(tokens))
        return step(tokens, state)

    ids = greedy_search(watched, state, max_length=4, start=np.array([4, 5]), end=0).ids[:, 0]
    np.testing.assert_array_equal(seen[0], [4, 5])
    for t, tokens in enumerate(seen[1:]):
        going = np.all(ids[:, : t + 1] != 0, axis=1)
        np.testing.assert_array_equal(tokens[going], ids[:, t][going])
