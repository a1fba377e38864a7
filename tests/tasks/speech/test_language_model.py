"""Searches with a language model, against every sequence and sums of log-probabilities."""

from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.models.language_model import LanguageModelOptions, build_language_model
from rnnpipe.parts.cells import LSTMOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.parts.shallow_fusion import ShallowFusionOptions
from rnnpipe.tasks.shallow_fusion import FusedLanguageModel
from rnnpipe.tasks.speech.config import SpeechSearchOptions
from rnnpipe.tasks.speech.decoding import decode_ctc
from rnnpipe.text.tokens import END, START, UNKNOWN
from tests.decoding.ctc.oracles import every_labelling, log_softmax, rank
from tests.tasks.predicting import make_predictor
from tests.tasks.speech.conftest import DECODER, make_model, make_task, say

SOUNDS = [say("ab cad", 3), say("d", 4), say("cc ba", 5)]
OUTPUTS = {
    "ctc": {"kind": "ctc"},
    "attention": {"kind": "attention", **DECODER},
    "joint": {"kind": "joint", **DECODER},
}
OPTIONS = ShallowFusionOptions(run=Path("runs/lm"), weight=0.7, length_bonus=0.4)
SHORT = {"run": "runs/lm", "weight": 0.7, "length_bonus": -2.5}


def make_language_model(vocab, seed=0):
    """A language model far from uniform, with learned first states."""
    keras.utils.set_random_seed(seed)
    options = LanguageModelOptions(
        embedding=EmbeddingOptions(size=4),
        recurrence=RecurrenceOptions(cell=LSTMOptions(units=5), learned_state=True),
    )
    model = build_language_model(options, vocab=vocab)
    for weight in model.trainable_weights:
        weight.assign(keras.random.normal(weight.shape, seed=seed + len(weight.path)))
    return model


def log_prob(model, targets):
    """The log-probability of a text, of which the end token is a part."""
    read = np.array([[START, *targets[:-1]]], "int32")
    states = [np.zeros((1, state.shape[-1]), "float32") for state in model.input["states"]]
    outputs = model({"tokens": read, "starts": np.array([True]), "states": states})
    return log_softmax(outputs["logits"])[0, np.arange(len(targets)), targets].sum()


def ctc_log_prob(logits, tokens):
    """The log-probability of a sequence by CTC's forward algorithm."""
    log_probs, labels = log_softmax(logits), [0]
    for token in tokens:
        labels += [token, 0]
    alpha = np.full(len(labels) + 2, -np.inf)  # two states before the first one
    alpha[1] = 0.0
    for t, frame in enumerate(log_probs):
        before = alpha.copy()
        for s, label in enumerate(labels, start=2):
            reached = [before[s], before[s - 1]]
            if label and label != (labels[s - 4] if s >= 4 else None):
                reached.append(before[s - 2])
            alpha[s] = np.logaddexp.reduce(reached) + frame[label]
        alpha[1] = -np.inf
        if t == 0:
            alpha[4:] = -np.inf
    return np.logaddexp(alpha[len(labels) + 1], alpha[len(labels)])


def test_prefix_search_finds_the_best_of_all_sequences():
    logits = np.random.default_rng(0).normal(size=(3, 4, 7)).astype("float32")
    logits[:, :, 1:4] = -np.inf  # all but three tokens and the blank
    model = make_language_model(6)
    ids = np.array([0, 1, 2, 3, 5, 4, UNKNOWN], "int32")  # it lacks the last one
    fused = FusedLanguageModel(model, ids, OPTIONS).make_function()
    options = SpeechSearchOptions(beam_width=200, n_best=5, length_penalty=0.0)
    steps = np.array([4, 3, 4], "int32")
    found = decode_ctc(logits, steps, options, fused)
    of_language = cache(lambda tokens: log_prob(model, [*ids[list(tokens)], END]))
    for row, count in enumerate(steps):
        scores = {
            tokens: np.log(probability) + 0.7 * of_language(tokens) + 0.4 * len(tokens)
            for tokens, probability in every_labelling(logits[row, :count]).items()
            if probability
        }
        best = rank(scores)[:5]
        assert [tuple(one.tokens) for one in found[row]] == [tokens for tokens, _ in best]
        expected = [score for _, score in best]
        np.testing.assert_allclose([one.score for one in found[row]], expected, atol=1e-5)
    alone = decode_ctc(logits, steps, options)
    assert [one[0].tokens for one in found] != [one[0].tokens for one in alone]


@pytest.fixture(scope="module", params=OUTPUTS)
def made(request, records, tmp_path_factory):
    """A task with a language model, its model, the language model, and the predictor."""
    search = {"language_model": SHORT}
    if request.param != "ctc":
        banned = ["<pad>", "<unk>", "<s>"]
        search |= {"constraints": {"banned_tokens": banned, "min_length": 4}}
    task = make_task(model={"output": OUTPUTS[request.param]}, evaluate={"search": search})
    model = make_model(task, records)
    vocab = model.output[next(iter(model.output))].shape[-1]
    if "ctc" in model.output:  # no training has the end token among the tokens of CTC
        model.get_layer("ctc").bias.assign(-40.0 * np.eye(vocab)[END])
    language_model = make_language_model(vocab, seed=3)
    language_model.get_layer("logits").bias.assign(7.0 * np.eye(vocab)[END])  # texts have an end
    ids = np.arange(vocab, dtype="int32")
    options = task.config.evaluate.search.language_model
    task.language_model = FusedLanguageModel(language_model, ids, options)
    folder = tmp_path_factory.mktemp(request.param)
    return task, model, language_model, make_predictor(task, model, records, folder)


def test_scores_are_sums_of_weighted_log_probabilities(made):
    task, model, language_model, predictor = made
    example = predictor.encode(predictor.parse({"audio": SOUNDS[0]}))
    arrays = predictor.collate([example])
    outputs = predictor.compute([example])
    searched = predictor._recognizer.decode(outputs, arrays["lengths"])[0]
    output, search = task.config.model.output, task.config.evaluate.search
    weight = search.ctc_weight if output.has_ctc else 0.0
    steps = int(np.ceil(arrays["lengths"][0] / task.config.model.frames))
    assert len(searched) == 2
    for one in searched:
        length, aims = len(one.tokens), [*one.tokens, END]
        fused = 0.7 * log_prob(language_model, aims) - 2.5 * length
        ctc = ctc_log_prob(outputs["ctc"][0, :steps], one.tokens) if output.has_ctc else 0.0
        if not output.has_decoder:
            assert one.score <= ctc + fused + 1e-3  # the beam is too narrow for all alignments
            continue
        assert 3 <= length < 12
        target = np.array([[START, *one.tokens]], "int32")
        logits = model({**arrays, "target": target}, training=False)["logits"]
        decoder = log_softmax(logits)[0, np.arange(len(aims)), aims].sum()
        expected = weight * ctc + (1 - weight) * decoder + fused
        assert one.score == pytest.approx(expected, abs=2e-3)
        mean = (expected + 2.5 * length) / 1.7 / len(aims)
        assert one.probability == pytest.approx(np.exp(mean), rel=2e-3)


def test_batches_and_padding_change_nothing(made):
    task, _, _, predictor = made
    alone = [predictor.predict_one({"audio": sound}) for sound in SOUNDS]
    for one, other in zip(alone, predictor.predict({"audio": s} for s in SOUNDS), strict=True):
        assert [a.text for a in one.answers] == [a.text for a in other.answers]
        scores, expected = ([a.score for a in each.answers] for each in (one, other))
        np.testing.assert_allclose(scores, expected, atol=1e-4)
    assert task.config.evaluate.search.make_greedy().language_model is None


def test_streams_have_no_language_model(made):
    *_, predictor = made
    with pytest.raises(UserError) as fault:
        predictor.stream({"audio": SOUNDS[0]})
    expected = "evaluate.search.language_model: expected null for streams, whose search is greedy"
    assert str(fault.value).startswith(expected)
