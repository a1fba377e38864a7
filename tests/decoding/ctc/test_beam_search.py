"""CTC prefix beam search against every path, and against the slow way with a dictionary."""

import numpy as np
import pytest

from rnnpipe import ops
from rnnpipe.decoding import (
    CTCBeamSearch,
    CTCGreedySearch,
    LanguageModel,
    RowwiseStep,
    ctc_beam_search,
)
from rnnpipe.errors import UserError
from rnnpipe.ops import numpy_operations
from tests.decoding.ctc.oracles import bigrams, every_labelling, rank, slow_beam_search

VOCAB, START, END = 4, 2, 3


def random_logits(seed, batch=3, time=5, vocab=VOCAB, spread=2.0):
    return np.random.default_rng(seed).normal(size=(batch, time, vocab), scale=spread)


def check(decoded, row, expected, rtol=1e-5):
    """That the sequences of a row are the best of `expected`, pairs of sequence and score."""
    for place in range(decoded.ids.shape[1]):
        sequence, score = expected[place] if place < len(expected) else ((), -np.inf)
        length = int(decoded.lengths[row, place])
        assert tuple(decoded.ids[row, place, :length]) == sequence
        assert not decoded.ids[row, place, length:].any()
        np.testing.assert_allclose(decoded.scores[row, place], score, rtol=rtol)


@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_all_sequences_and_their_exact_probabilities(seed):
    logits = random_logits(seed)
    decoded = ctc_beam_search(logits, beam_width=400, n_best=400)
    for row in range(3):
        found = every_labelling(logits[row])
        expected = rank({sequence: np.log(p) for sequence, p in found.items()})
        check(decoded, row, expected)
        np.testing.assert_array_equal(decoded.log_probs, decoded.scores)


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("top", [None, 2])
def test_a_narrow_beam_finds_what_the_slow_way_finds(width, top):
    logits = random_logits(7, batch=8, time=14, vocab=5)
    decoded = ctc_beam_search(logits, beam_width=width, n_best=width, top_tokens=top)
    for row in range(8):
        check(decoded, row, rank(slow_beam_search(logits[row], width, top=top)))


TABLE = np.random.default_rng(5).normal(size=(VOCAB, VOCAB), scale=2.0).astype("float32")


def language_model(batch, weight, end=None):
    """Bigrams: a step without a state of its own."""

    def step(tokens, state):
        return ops.take(TABLE, tokens, axis=0), state

    state = ops.zeros((batch,))
    return LanguageModel(RowwiseStep(step), state, weight=weight, start=START, end=end)


@pytest.mark.parametrize("end", [None, END])
@pytest.mark.parametrize("bonus", [0.0, 0.7])
def test_a_language_model_adds_its_weighted_scores(end, bonus):
    logits = random_logits(11)
    model = bigrams(TABLE, START, 0.6, bonus, end)
    decoded = ctc_beam_search(
        logits,
        beam_width=400,
        n_best=400,
        language_model=language_model(3, 0.6, end),
        length_bonus=bonus,
    )
    for row in range(3):
        found = every_labelling(logits[row])
        scores = {sequence: np.log(p) + model(sequence, True) for sequence, p in found.items()}
        check(decoded, row, rank(scores))
        assert np.all(decoded.log_probs[row, : len(found)] <= 0)


@pytest.mark.parametrize("width", [2, 4])
def test_a_narrow_beam_is_ranked_by_the_language_model_too(width):
    logits = random_logits(13, batch=6, time=12)
    model = bigrams(TABLE, START, 0.8, 0.5)
    options = {"beam_width": width, "n_best": width, "length_bonus": 0.5}
    decoded = ctc_beam_search(logits, language_model=language_model(6, 0.8), **options)
    with numpy_operations():
        again = ctc_beam_search(logits, language_model=language_model(6, 0.8), **options)
    for row in range(6):
        expected = rank(slow_beam_search(logits[row], width, model))
        check(decoded, row, expected)
        check(again, row, expected)


def test_the_states_of_a_language_model_follow_their_prefixes():
    """The logits are a function of the row and of all tokens before, which the state has."""

    def step(tokens, state):
        row, history = state
        history = (history * 5 + tokens + row) % 97
        shifted = ops.take(TABLE, history % VOCAB, axis=0) * ops.cast(row + 1, "float32")[:, None]
        return shifted, (row, history)

    def slow_model(row):
        def score(prefix):
            history, total = 0, 0.0
            for token, following in zip((START, *prefix), prefix, strict=False):
                history = (history * 5 + token + row) % 97
                logits = TABLE[history % VOCAB].astype("float64") * (row + 1)
                total += logits[following] - np.log(np.exp(logits).sum())
            return 0.5 * total

        return score

    logits, lengths = random_logits(17, batch=5, time=11), np.array([11, 4, 9, 0, 11])
    state = (ops.arange(5, dtype="int32"), ops.zeros((5,), dtype="int32"))
    model = LanguageModel(step, state, weight=0.5, start=START, end=None)
    decoded = ctc_beam_search(logits, lengths, beam_width=4, n_best=4, language_model=model)
    for row, length in enumerate(lengths):
        expected = slow_beam_search(logits[row, :length], 4, slow_model(row))
        check(decoded, row, rank(expected))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fused", [False, True])
def test_a_stream_of_chunks_of_any_size_equals_the_whole(seed, fused):
    random, lengths = np.random.default_rng(seed), np.array([13, 7, 0, 11, 12])
    logits = random_logits(seed + 20, batch=5, time=13).astype("float32")
    options = {"beam_width": 4, "n_best": 3, "length_bonus": 0.3}
    if fused:
        options["language_model"] = language_model(5, 0.5, END)
    search, done = CTCBeamSearch(**options), np.zeros(5, int)
    state = search.begin(batch=5)
    while np.any(done < lengths):
        sizes = np.minimum(random.integers(0, 4, 5), lengths - done)
        chunk = np.full((5, 4, VOCAB), np.nan, "float32")
        for row, size in enumerate(sizes):
            chunk[row, :size] = logits[row, done[row] : done[row] + size]
        state = search.advance(state, chunk, sizes)
        done += sizes
    found, whole = search.finish(state), ctc_beam_search(logits, lengths, **options)
    np.testing.assert_array_equal(found.ids, whole.ids)
    # TensorFlow rounds the softmax of some rows otherwise than that of more.
    np.testing.assert_allclose(found.scores, whole.scores, rtol=1e-6 if fused else 0)


def test_padding_and_batch_change_nothing_even_where_padding_is_nan():
    logits, lengths = random_logits(31, batch=4, time=9), np.array([9, 6, 1, 0])
    padded = logits.copy()
    padded[np.arange(9) >= lengths[:, None]] = np.nan
    together = ctc_beam_search(padded, lengths, beam_width=3, n_best=2)
    for row, length in enumerate(lengths):
        alone = ctc_beam_search(logits[row : row + 1, :length], beam_width=3, n_best=2)
        np.testing.assert_array_equal(alone.scores[0], together.scores[row])
        tokens = alone.ids.shape[-1]
        np.testing.assert_array_equal(alone.ids[0], together.ids[row, :, :tokens])
        assert not together.ids[row, :, tokens:].any()


def test_a_row_with_nan_has_no_sequence():
    logits = random_logits(33)
    logits[1, 2, 0] = np.nan
    decoded = ctc_beam_search(logits, n_best=2)
    assert np.isnan(decoded.scores[1]).all()
    assert not decoded.lengths[1].any()
    assert not decoded.ids[1].any()
    expected = ctc_beam_search(np.delete(logits, 1, axis=0), n_best=2)
    np.testing.assert_array_equal(np.delete(decoded.scores, 1, axis=0), expected.scores)


def test_impossible_tokens_never_come():
    logits = random_logits(35)
    logits[:, :, 1] = -np.inf
    decoded = ctc_beam_search(logits, beam_width=400, n_best=400)
    for row in range(3):
        found = every_labelling(logits[row])
        scores = {sequence: np.log(p) for sequence, p in found.items() if p > 0}
        check(decoded, row, rank(scores))


def test_long_sequences_have_finite_scores():
    logits = random_logits(37, batch=1, time=3000, vocab=3)
    decoded = ctc_beam_search(logits, beam_width=4)
    assert np.isfinite(decoded.scores).all()
    assert decoded.lengths[0, 0] > 500


@pytest.mark.parametrize("shape", [(0, 5, 4), (2, 0, 4), (0, 0, 4)])
def test_nothing_to_decode_gives_nothing(shape):
    decoded = ctc_beam_search(np.zeros(shape), n_best=2)
    assert decoded.ids.shape == (shape[0], 2, 0)
    assert decoded.scores.tolist() == [[0.0, -np.inf]] * shape[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam_width": 0}, "beam_width: expected a whole number, at least 1, got 0"),
        ({"beam_width": 2, "n_best": 3}, "n_best: expected at most beam_width, 2, got 3"),
        ({"top_tokens": 0}, "top_tokens: expected a whole number, at least 1"),
        ({"length_bonus": "much"}, "length_bonus: expected a number, got 'much'"),
        ({"language_model": language_model(2, 0.5)}, "language_model: expected 5 tokens, as the"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        ctc_beam_search(np.zeros((2, 3, 5)), **options)


def test_other_batches_are_refused():
    message = "language_model: expected a state of 2 rows, as the batch has, got 3; make its"
    with pytest.raises(UserError, match=message):
        ctc_beam_search(np.zeros((2, 3, VOCAB)), language_model=language_model(3, 0.5))
    for search in (CTCBeamSearch(), CTCGreedySearch()):
        with pytest.raises(UserError, match="logits: expected 2 rows, as the state has, got 1"):
            search.advance(search.begin(batch=2), np.zeros((1, 3, VOCAB)))


def test_a_wrong_weight_is_refused():
    with pytest.raises(UserError, match="weight: expected 0 or more, got -1"):
        language_model(2, -1.0)
