"""What stands in place of unknown words, and minimum Bayes risk, by hand and by brute force."""

import math

import numpy as np
import pytest
import sacrebleu

import rnnpipe
from rnnpipe.errors import UserError
from rnnpipe.metrics.translation import expected_utilities
from rnnpipe.parts.search import DrawingOptions
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.translation.config import RiskOptions, TranslationSearchOptions
from rnnpipe.tasks.translation.texts import TranslationTexts, aligned_words
from rnnpipe.text.normalize import Normalizer
from rnnpipe.text.tokenizer import Tokenizer, train_tokenizer
from tests.tasks.predicting import make_predictor
from tests.tasks.translation.conftest import make_task

UNKNOWN = 1


def attend(*places, width):
    """Alignments that attend to one source token each, most."""
    alignment = np.full((len(places), width), 0.1, "float32")
    alignment[np.arange(len(places)), places] = 0.5
    return alignment


def make_texts(records, **options):
    search = TranslationSearchOptions(beam_width=5, n_best=5, max_length=9, **options)
    return TranslationTexts(records.path, search, lowercase=False)


def hypothesis(tokens, places, width, log_probability=-1.0):
    probability = math.exp(log_probability / (len(tokens) + 1))
    return Hypothesis(tokens, -9.0, probability, attend(*places, width=width), log_probability)


def test_an_unknown_word_is_the_source_word_that_it_attends_to(records):
    target = Tokenizer.load(records.path / TARGET)
    ein, runs = target.encode("ein läuft")
    unknown = hypothesis([ein, UNKNOWN, runs, UNKNOWN], [0, 1, 2, 3], width=4)
    assert make_texts(records).decode(unknown, "a cat runs quickly") == "ein <unk> läuft <unk>"
    texts = make_texts(records, replace_unknown="source")
    assert texts.decode(unknown, "A Cat runs quickly") == "ein cat läuft quickly"
    assert texts.decode(hypothesis([], [], width=4), "a") == ""
    silent = hypothesis([0, UNKNOWN, 2, 3], [1, 1, 1, 1], width=4)
    assert texts.decode(silent, "a cat runs quickly") == "cat"
    known = hypothesis([ein, runs], [0, 1], width=4)
    assert texts.decode(known, "a cat runs quickly") == target.decode([ein, runs])


def test_marks_that_are_copied_touch_what_they_touched(tmp_path):
    normalizer = Normalizer(mark_joins=True)
    for side in (SOURCE, TARGET):
        (tmp_path / side).mkdir()
        tokenizer = train_tokenizer({"a": 2}, kind="word", vocabulary=9, normalizer=normalizer)
        tokenizer.save(tmp_path / side)
    options = TranslationSearchOptions(replace_unknown="source")
    texts = TranslationTexts(tmp_path, options, lowercase=False)
    tokens = [4, UNKNOWN, UNKNOWN, UNKNOWN]
    assert texts.decode(hypothesis(tokens, [0, 1, 2, 3], width=4), "a (dog!") == "a (dog!"


def test_subwords_vote_for_their_word():
    counts = {"low": 9, "er": 7, "est": 6}
    tokenizer = train_tokenizer(counts, kind="bpe", vocabulary=16)
    pieces = tokenizer.split("lower est low")
    assert pieces == ["▁low", "e", "r", "▁e", "s", "t", "▁low"]
    # One token of `est` has most of the first row, those of `lower` together have more.
    alignment = np.array(
        [[0.20, 0.10, 0.15, 0.40, 0.0, 0.0, 0.15], [0.05, 0.0, 0.0, 0.30, 0.0, 0.05, 0.6]]
    )
    assert aligned_words(alignment, "lower est low", tokenizer) == ["lower", "low"]
    # Of a source that is cut only what was read can be attended to.
    assert aligned_words(alignment[:, :6], "lower est low", tokenizer) == ["lower", "est"]


TEXTS = [
    "a dog runs home",
    "the dog runs home",
    "a dog ran home",
    "a cat sleeps",
    "a dog runs home",
]


@pytest.mark.parametrize("utility", ["chrf", "bleu"])
@pytest.mark.parametrize("weights", [None, [0.4, 0.3, 0.1, 0.1, 0.1]])
def test_expected_utilities_are_those_of_brute_force(utility, weights):
    def score(text, other):
        if utility == "chrf":
            return sacrebleu.sentence_chrf(text, [other]).score
        return sacrebleu.sentence_bleu(text, [other], use_effective_order=True).score

    shares = weights or [1 / len(TEXTS)] * len(TEXTS)
    expected = [
        sum(share * score(text, other) for share, other in zip(shares, TEXTS, strict=True))
        for text in TEXTS
    ]
    assert expected_utilities(TEXTS, weights, utility=utility) == pytest.approx(expected)
    assert expected[0] == max(expected)


def candidates(records, *log_probabilities):
    target = Tokenizer.load(records.path / TARGET)
    texts = ["roter mann", "ein alter hund läuft", "ein alter hund", "ein hund läuft"]
    tokens = [target.encode(text) for text in texts]
    return texts, [
        hypothesis(ids, [0] * len(ids), 1, log_probability)
        for ids, log_probability in zip(tokens, log_probabilities, strict=True)
    ]


def test_the_candidate_that_agrees_most_comes_first(records):
    texts, hypotheses = candidates(records, -1.0, -1.5, -2.0, -2.5)
    ranked = make_texts(records, minimum_bayes_risk=RiskOptions())(hypotheses, "a")
    powers = [math.exp(one.log_probability) for one in hypotheses]
    utilities = expected_utilities(texts, powers)
    order = sorted(range(4), key=lambda place: -utilities[place])
    assert [each.text for each in ranked] == [texts[place] for place in order]
    scores = [each.hypothesis.score for each in ranked]
    assert scores == pytest.approx(sorted(utilities, reverse=True))
    assert ranked[0].text == "ein alter hund läuft"
    # A candidate that is nearly certain wins whatever the others agree on.
    _, hypotheses = candidates(records, -0.01, -6.0, -6.0, -6.0)
    ranked = make_texts(records, minimum_bayes_risk=RiskOptions(utility="bleu"))(hypotheses, "a")
    assert ranked[0].text == "roter mann"
    # Draws count alike: how likely one is shows in how often it is drawn.
    drawn = make_texts(records, minimum_bayes_risk=RiskOptions(), sampling=DrawingOptions(seed=1))
    assert drawn(hypotheses, "a")[0].text == "ein alter hund läuft"
    assert drawn([], "a") == []


def test_predictions_rank_all_candidates_as_the_evaluation_does(records, tmp_path):
    search = {
        "beam_width": 6,
        "n_best": 6,
        "max_length": 8,
        "sampling": {"seed": 3},
        "minimum_bayes_risk": {"utility": "chrf"},
        "replace_unknown": "source",
    }
    task = make_task(search=search)
    model = task.build_model(records)
    predictor = make_predictor(task, model, records, tmp_path)
    asked, find = [], predictor.network["search"]

    def record(arrays, **options):
        asked.append(options["n_best"])
        return find(arrays, **options)

    predictor.network = {"search": record}
    rows = task.evaluate(model, records, "test").predictions
    for row in rows[:2]:  # the third source is longer than what is read of it
        (alone,) = predictor.predict([{"text": row["source"], "n-best": 1}])
        assert [answer.text for answer in alone.answers] == [row["prediction"]]
        scores = [each["score"] for each in row["n_best"]]
        assert scores == sorted(scores, reverse=True)
        assert alone.answers[0].score == pytest.approx(scores[0], abs=1e-3)
    assert set(asked) == {6}


def test_one_candidate_is_nothing_to_compare():
    settings = {"evaluate.search": {"n_best": 1, "minimum_bayes_risk": {}}}
    with pytest.raises(UserError, match="expected at least 2 with minimum_bayes_risk"):
        rnnpipe.load_config("translation", settings)
    options = TranslationSearchOptions(minimum_bayes_risk=RiskOptions(), replace_unknown="source")
    greedy = options.make_greedy()
    assert (greedy.n_best, greedy.reranks, greedy.replace_unknown) == (1, False, "source")


def test_graphs_of_texts_replace_nothing(records):
    for option in ({"replace_unknown": "source"}, {"minimum_bayes_risk": {}}):
        task = make_task(search={"beam_width": 2, "n_best": 2, **option})
        with pytest.raises(UserError, match=r"evaluate.search.\w+: expected null within a graph"):
            task.make_text_graph({}, records.path)
