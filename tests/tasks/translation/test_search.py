from functools import partial

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.models.translator import TranslatorOptions, build_translator
from rnnpipe.parts.attention import AdditiveAttentionOptions
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.parts.decoder import DecoderOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.parts.search import ConstraintOptions, DrawingOptions
from rnnpipe.tasks.constraints import encode_phrases, pad_phrases
from rnnpipe.tasks.translation.config import TranslationSearchOptions
from rnnpipe.tasks.translation.network import make_search as make_search_function
from rnnpipe.tasks.translation.search import TranslationSearch

SOURCES = [[4, 5, 6], [7], [4] * 9, [8, 9], [6, 5, 4, 7]]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(2)
    options = TranslatorOptions(
        embedding=EmbeddingOptions(size=6),
        share_embedding=False,
        encoder=RecurrenceOptions(cell=GRUOptions(units=5), bidirectional=True),
        decoder=DecoderOptions(
            cell=GRUOptions(units=7), attention=AdditiveAttentionOptions(units=6)
        ),
    )
    model = build_translator(options, source_vocab=12, target_vocab=9)
    # Sharp enough that sources differ in what is said of them, and now and then it ends.
    model.set_weights([3 * weight for weight in model.get_weights()])
    return model


def make_search(model, *, batch_size=64, required=(), prefix=(), **options):
    how = TranslationSearchOptions(**{"n_best": 1, "max_length": 8, **options})
    function = make_search_function(model, how, find_token=int)
    phrases = tuple(map(tuple, pad_phrases(required)))
    search = partial(function, required=phrases, prefix=tuple(prefix))
    return TranslationSearch(search, how, batch_size)


@pytest.mark.parametrize("width", [1, 3])
def test_results_come_in_the_order_of_the_sources_whatever_the_batches(model, width):
    pairs, all_together = (
        make_search(model, beam_width=width, batch_size=size, max_length=6)(SOURCES)
        for size in (2, 9)
    )
    (last,) = make_search(model, beam_width=width, max_length=6)(SOURCES[-1:])
    assert [one.tokens for one in last] == [one.tokens for one in pairs[-1]]
    for found, others in zip(pairs, all_together, strict=True):
        assert [one.tokens for one in found] == [one.tokens for one in others]
        np.testing.assert_allclose(found[0].score, others[0].score, rtol=1e-4)


@pytest.mark.parametrize("coverage_penalty", [0.0, 0.4])
def test_the_probability_is_that_of_the_words_one_after_another(model, coverage_penalty):
    options = {"beam_width": 3, "n_best": 2, "max_length": 6, "coverage_penalty": coverage_penalty}
    for source, found in zip(SOURCES, make_search(model, **options)(SOURCES), strict=True):
        for one in found:
            said = [*one.tokens, 3]
            logits = model({"source": np.array([source]), "target": np.array([[2, *one.tokens]])})[
                "logits"
            ]
            log_probs = np.asarray(keras.ops.log_softmax(logits))[0]
            if len(one.tokens) == 6:  # it never ended
                said, log_probs = said[:-1], log_probs[:-1]
            mean = np.mean([row[token] for row, token in zip(log_probs, said, strict=True)])
            assert one.probability == pytest.approx(np.exp(mean), rel=1e-3)


def test_the_best_comes_first_and_alignments_are_of_the_own_source(model):
    for source, found in zip(
        SOURCES, make_search(model, beam_width=4, n_best=4, max_length=6)(SOURCES), strict=True
    ):
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(one.tokens) for one in found}) == len(found) == 4
        for one in found:
            assert one.alignment.shape == (len(one.tokens), len(source))
            np.testing.assert_allclose(one.alignment.sum(axis=1), 1, rtol=1e-4)


@pytest.mark.parametrize("width", [1, 3])
def test_translations_are_not_much_longer_than_their_sources(model, width):
    # A model that never ends: what bounds its translations are the bounds alone.
    endless = keras.models.clone_model(model)
    endless.set_weights(model.get_weights())
    bias = endless.get_layer("decoder").to_logits.bias
    bias.assign(keras.ops.where(keras.ops.arange(9) == 3, -1e9, bias))
    for ratio, longest in ((0.5, [11, 10, 14, 11, 12]), (3.0, [19, 13, 20, 16, 20])):
        found = make_search(endless, beam_width=width, max_length=20, max_ratio=ratio)(SOURCES)
        assert [len(each[0].tokens) for each in found] == longest
    free = make_search(endless, beam_width=width, max_length=20, max_ratio=None)(SOURCES)
    assert [len(each[0].tokens) for each in free] == [20] * 5


def test_an_empty_source_is_no_work(model):
    assert make_search(model)([]) == []


def test_constraints_hold(model):
    free = make_search(model, beam_width=4)(SOURCES)
    common = max((3, *range(4, 9)), key=lambda token: sum(token in f[0].tokens for f in free))
    assert any(common in each[0].tokens for each in free)
    rules = ConstraintOptions(min_length=6, no_repeat_ngram=1, banned_tokens=(str(common),))
    found = make_search(model, beam_width=4, constraints=rules)(SOURCES)
    for each in found:
        tokens = each[0].tokens
        assert common not in tokens
        assert len(tokens) >= 5  # and the end token
        assert len(set(tokens)) == len(tokens)


@pytest.mark.parametrize("batch_size", [2, 9])
def test_phrases_and_prefixes_are_in_every_translation(model, batch_size):
    required, prefix = [[5, 7], [8]], [6, 4]
    search = make_search(
        model, beam_width=6, n_best=2, required=required, prefix=prefix, batch_size=batch_size
    )
    for found in search(SOURCES):
        assert found
        for one in found:
            assert one.tokens[:2] == prefix
            assert 8 in one.tokens
            assert (5, 7) in zip(one.tokens, one.tokens[1:], strict=False)


def test_translations_are_drawn_where_sampling_is_set(model):
    options = {"beam_width": 4, "n_best": 4, "max_length": 6, "length_penalty": 1.0}
    drawing = DrawingOptions(temperature=2.0, seed=5)
    search = make_search(model, sampling=drawing, **options)
    drawn = [[one.tokens for one in found] for found in search(SOURCES)]
    again = [[one.tokens for one in found] for found in search(SOURCES)]
    assert drawn == again
    for batch_size in (1, 2):
        apart = make_search(model, sampling=drawing, batch_size=batch_size, **options)(SOURCES)
        assert [[one.tokens for one in found] for found in apart] == drawn
    assert any(len({tuple(tokens) for tokens in found}) > 1 for found in drawn)
    for source, found in zip(SOURCES, search(SOURCES), strict=True):
        for one in found:
            if len(one.tokens) == 6:
                continue
            logits = model({"source": np.array([source]), "target": np.array([[2, *one.tokens]])})
            log_probs = keras.ops.log_softmax(logits["logits"])[0]
            total = sum(float(log_probs[t, token]) for t, token in enumerate([*one.tokens, 3]))
            # The score of a draw is its log-probability, without a penalty of its length.
            np.testing.assert_allclose(one.score, total, rtol=1e-4)
            assert one.alignment.shape == (len(one.tokens), len(source))
    with pytest.raises(UserError, match="--require: expected none where sequences are drawn"):
        encode_phrases(["a"], None, search._options)


def test_groups_have_different_translations(model):
    options = {"beam_width": 4, "n_best": 2, "max_length": 5}
    alike = make_search(model, **options)(SOURCES)
    apart = make_search(model, **options, groups=2, diversity=5.0)(SOURCES)
    shared = [
        sum(len({*found[0].tokens} & {*found[1].tokens}) for found in each if len(found) > 1)
        for each in (alike, apart)
    ]
    assert shared[1] < shared[0]
