"""Beam search and sampling from their settings."""

import numpy as np
import pytest
from keras import ops

from rnnpipe.decoding import Constraints
from rnnpipe.errors import UserError
from rnnpipe.parts.search import (
    BadEndingsOptions,
    BeamSearchOptions,
    ConstraintOptions,
    DrawingOptions,
    NoImmediateRepeatOptions,
    SamplingOptions,
)
from tests.parts.common import check_round_trip

LOG_PROBS = np.log(np.array([[1e-9, 1e-9, 1e-9, 0.2, 0.5, 0.3]], "float32"))


def step(tokens, state):
    return ops.convert_to_tensor(LOG_PROBS) + ops.zeros_like(state), state


def search(**options):
    decoded = BeamSearchOptions(max_length=3, **options).search(step, np.zeros((1, 1), "float32"))
    return np.asarray(decoded.ids)[0].tolist()


def test_a_beam_of_one_equals_greedy_search():
    assert search(beam_width=1, n_best=1) == [[4, 4, 4]]


def test_a_wider_beam_finds_the_likeliest_sequences():
    assert search(beam_width=4, n_best=2, length_penalty=0.0) == [[3, 0, 0], [4, 4, 4]]


def test_groups_have_different_sequences():
    first, second = search(beam_width=2, n_best=2, groups=2, diversity=5.0)
    assert first != second


def test_sequences_are_drawn_where_sampling_is_set():
    many = {"beam_width": 64, "n_best": 64, "length_penalty": 0.0}
    drawn = search(sampling=DrawingOptions(seed=3), **many)
    assert drawn == search(sampling=DrawingOptions(seed=3), **many)
    assert drawn != search(sampling=DrawingOptions(seed=4), **many)
    assert {token for row in drawn for token in row} == {0, 3, 4, 5}
    assert search(sampling=DrawingOptions(top_k=1), **many) == [[4, 4, 4]] * 64
    assert search(sampling=DrawingOptions(temperature=0.01), **many) == [[4, 4, 4]] * 64
    banned = Constraints(banned_tokens=[4, 3])
    options = BeamSearchOptions(max_length=3, sampling=DrawingOptions(), **many)
    decoded = options.search(step, np.zeros((1, 1), "float32"), constraints=banned)
    assert set(np.asarray(decoded.ids).flatten().tolist()) == {5}


def test_draws_have_no_penalties_and_validation_is_greedy():
    options = BeamSearchOptions(beam_width=4, n_best=2, sampling=DrawingOptions())
    assert (options.rows, options.penalizes) == (2, False)
    greedy = options.make_greedy()
    assert (greedy.rows, greedy.penalizes, greedy.sampling) == (1, False, None)
    assert (BeamSearchOptions(beam_width=6).rows, BeamSearchOptions().penalizes) == (6, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"sampling": DrawingOptions(), "beam_width": 4, "n_best": 2, "groups": 2},
            "groups: expected its default with sampling, got 2; remove it",
        ),
        (
            {"sampling": DrawingOptions(), "coverage_penalty": 0.5},
            "coverage_penalty: expected its default with sampling, got 0.5",
        ),
        ({"beam_width": 2, "n_best": 3}, "n_best: expected at most beam_width, 2, got 3"),
        (
            {"beam_width": 3, "n_best": 2, "groups": 2},
            "groups: expected a divisor of beam_width, 3",
        ),
        (
            {"beam_width": 4, "n_best": 3, "groups": 2},
            "n_best: expected a multiple of the 2 groups",
        ),
    ],
)
def test_impossible_searches_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        BeamSearchOptions(**options)


def test_constraints_are_made_only_where_there_are_some():
    assert ConstraintOptions().make(int) is None
    options = ConstraintOptions(min_length=2, no_repeat_ngram=3, banned_tokens=("5",))
    (made,) = options.make(int) or []
    assert isinstance(made, Constraints)
    assert (made.min_length, made.no_repeat_ngram, made.banned_tokens) == (2, 3, [5])


def test_rules_are_kinds_that_name_tokens():
    rules = (NoImmediateRepeatOptions(), BadEndingsOptions(tokens=("4", "6")))
    made = ConstraintOptions(rules=rules).make(int)
    assert made is not None
    _, repeats, endings = made
    assert callable(repeats)
    assert callable(endings)
    ids = np.array([[5, 4, 0], [4, 5, 0]])
    log_probs = np.zeros((2, 8), "float32")
    allowed = np.isfinite(np.asarray(repeats(log_probs, ids, 2)))
    assert [np.flatnonzero(~row).tolist() for row in allowed] == [[4], [5]]
    allowed = np.isfinite(np.asarray(endings(log_probs, ids, 2)))
    assert [np.flatnonzero(~row).tolist() for row in allowed] == [[3], []]
    assert np.isfinite(np.asarray(repeats(log_probs, ids, 0))).all()
    assert np.isfinite(np.asarray(endings(log_probs, ids, 0))).all()


def test_settings_survive_yaml_and_pickling():
    check_round_trip(SamplingOptions, SamplingOptions(top_k=3, top_p=0.5))
    rules = (NoImmediateRepeatOptions(), BadEndingsOptions(tokens=("the",)))
    constraints = ConstraintOptions(banned_tokens=("a", "b"), rules=rules)
    sampling = DrawingOptions(seed=2, top_k=3)
    check_round_trip(
        BeamSearchOptions, BeamSearchOptions(constraints=constraints, sampling=sampling)
    )
