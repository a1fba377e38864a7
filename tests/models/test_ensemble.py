"""Ensembles against the mean, in NumPy, of what their members compute apart."""

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.decoding import beam_search, greedy_search
from rnnpipe.models.captioner import begin_captioning, build_captioner
from rnnpipe.models.ensemble import find_members, join_models
from rnnpipe.models.frame_labeler import FrameLabelerOptions, build_frame_labeler
from rnnpipe.models.language_model import (
    LanguageModelOptions,
    build_language_model,
    first_states,
    get_states,
    join_language_models,
)
from rnnpipe.models.text_classifier import TextClassifierOptions, build_text_classifier
from rnnpipe.models.translator import TranslatorOptions, begin_translation, build_translator
from rnnpipe.text.tokens import END, START
from tests.models.caption_decoders import caption_options

TOKENS = np.array([[4, 5, 6, 0, 0], [7, 0, 0, 0, 0], [4, 5, 11, 7, 8]], "int32")
IMAGES = np.random.default_rng(1).normal(size=(2, 2, 3, 8)).astype("float32")
SOURCES = [[4, 5, 6], [7, 8, 9]]
WIDTH, MAX_LENGTH, VOCAB = 3, 4, 9


def sharpen(model, factor=3):
    """The model with other weights, so far from zero that its probabilities differ."""
    model.set_weights([factor * weight for weight in model.get_weights()])
    return model


def softmax(logits):
    powers = np.exp(np.asarray(logits, "float64"))
    return powers / powers.sum(axis=-1, keepdims=True)


def make_classifier(pooling, units=4, **options):
    settings = load_settings(
        TextClassifierOptions,
        {
            "embedding": {"size": 5, "scale": 1.0},
            "recurrence": {"cell": {"units": units}},
            "pooling": {"kind": pooling, **options},
        },
    )
    return build_text_classifier(settings, vocab=12, classes=3)


@pytest.mark.parametrize("pooling", ["last", "attention"])
def test_probabilities_and_alignments_are_averaged(pooling, predict_elsewhere):
    models = [sharpen(make_classifier(pooling, units)) for units in (3, 4, 5)]
    alone = [model(TOKENS) for model in models]
    joined = join_models(models, ["logits"])
    outputs = joined(TOKENS)
    assert set(outputs) == set(alone[0])
    expected = np.mean([softmax(each["logits"]) for each in alone], axis=0)
    np.testing.assert_allclose(np.exp(outputs["logits"]), expected, rtol=1e-5)
    if pooling == "attention":
        expected = np.mean([each["alignments"] for each in alone], axis=0)
        np.testing.assert_allclose(outputs["alignments"], expected, rtol=1e-5)
    for name, loaded in zip(sorted(outputs), predict_elsewhere(joined, [TOKENS]), strict=True):
        np.testing.assert_allclose(loaded, outputs[name], rtol=1e-5)


@pytest.mark.parametrize("other", [{"pooling": "last"}, {"pooling": "attention", "glimpses": 2}])
def test_alignments_of_other_shapes_leave_those_of_the_first(other):
    first, second = make_classifier("attention"), make_classifier(**other)
    expected = first(TOKENS)["alignments"]
    np.testing.assert_array_equal(
        join_models([first, second], ["logits"])(TOKENS)["alignments"], expected
    )
    last = make_classifier("last")
    assert set(join_models([last, make_classifier("attention")], ["logits"]).output) == {"logits"}


def test_the_members_of_an_ensemble_are_found_in_their_order():
    models = [make_classifier("last", units) for units in range(2, 13)]
    joined = join_models(models, ["logits"])
    assert find_members(joined) == models
    assert find_members(models[0]) == []
    assert joined.name == "text_classifier"


def test_an_ensemble_may_be_a_member():
    models = [sharpen(make_classifier("last", units)) for units in (3, 4, 5)]
    first, second, third = (softmax(model(TOKENS)["logits"]) for model in models)
    both = join_models([join_models(models[:2], ["logits"]), models[2]], ["logits"])
    expected = ((first + second) / 2 + third) / 2
    np.testing.assert_allclose(np.exp(both(TOKENS)["logits"]), expected, rtol=1e-5)


def make_labeler(units):
    options = load_settings(
        FrameLabelerOptions,
        {
            "frame_encoder": {"image_encoder": {"kind": "cnn", "channels": [4]}, "units": units},
            "recurrence": {"cell": {"kind": "gru", "units": units}},
        },
    )
    return build_frame_labeler(options, frame_shape=(16, 16, 3), frame_labels=5, clip_labels=3)


def test_frames_and_clips_are_averaged():
    frames = np.random.default_rng(0).integers(0, 255, (7, 16, 16, 3)).astype("uint8")
    inputs = {"frames": frames, "frame_index": np.array([[0, 1, 2, 3], [4, 5, 6, -1]])}
    models = [sharpen(make_labeler(units)) for units in (4, 6)]
    alone = [model(inputs) for model in models]
    joined = join_models(models, ["frame", "clip"])(inputs)
    for name in ("frame", "clip"):
        expected = np.mean([softmax(each[name]) for each in alone], axis=0)
        np.testing.assert_allclose(np.exp(joined[name]), expected, rtol=1e-4)


def make_language_model(seed, **recurrence):
    settings = {"embedding": {"size": 5}, "recurrence": recurrence}
    model = sharpen(build_language_model(load_settings(LanguageModelOptions, settings), vocab=9))
    for layer in model.layers:
        if layer.name == "first_states":
            rng = np.random.default_rng(seed)
            layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    return model


def test_language_models_carry_the_states_of_all():
    models = [
        make_language_model(1, cell={"kind": "lstm", "units": 3}, learned_state=True),
        make_language_model(2, cell={"kind": "gru", "units": 4}, depth=2),
    ]
    tokens = keras.ops.array(np.random.default_rng(3).integers(4, 9, (2, 6)))
    starts, no_starts = keras.ops.ones(2, "bool"), keras.ops.zeros(2, "bool")
    alone = []
    for model in models:
        inputs = {"tokens": tokens, "starts": starts, "states": first_states(model, 2)}
        alone.append(softmax(model(inputs)["logits"]))
    joined = join_language_models(models)
    assert [state.shape[-1] for state in joined.input["states"]] == [3, 3, 4, 4]
    read = joined({"tokens": tokens[:, :2], "starts": starts, "states": first_states(joined, 2)})
    rest = joined({"tokens": tokens[:, 2:], "starts": no_starts, "states": get_states(read)})
    together = np.concatenate([read["logits"], rest["logits"]], axis=1)
    np.testing.assert_allclose(np.exp(together), np.mean(alone, axis=0), rtol=1e-4)


def search_by_hand(probabilities):
    """Beam search of one row with lists: scores and tokens, the best first.

    Args:
        probabilities: of the next token, from the tokens so far.
    """
    living, ended = [(0.0, ())], []
    for t in range(MAX_LENGTH):
        grown = [
            (total + np.log(probability), (*tokens, token))
            for total, tokens in living
            for token, probability in enumerate(probabilities(tokens))
        ]
        living = []
        for total, tokens in sorted(grown, reverse=True)[:WIDTH]:
            is_finished = tokens[-1] == END or t + 1 == MAX_LENGTH
            (ended if is_finished else living).append((total, tokens))
    return sorted(ended, reverse=True)


def check_search(decoded, row, probabilities):
    best = search_by_hand(probabilities)[: decoded.ids.shape[1]]
    for place, (score, tokens) in enumerate(best):
        assert np.asarray(decoded.ids)[row, place, : len(tokens)].tolist() == [*tokens]
        assert int(decoded.lengths[row, place]) == len(tokens)
        assert float(decoded.scores[row, place]) == pytest.approx(score, rel=1e-4)


def make_translator(encoder, decoder, glimpses=1):
    options = load_settings(
        TranslatorOptions,
        {
            "embedding": {"size": 6, "scale": 1.0},
            "share_embedding": False,
            "encoder": {"cell": encoder},
            "decoder": {
                "cell": decoder,
                "attention": {"kind": "additive", "units": 6, "glimpses": glimpses},
                "tie_weights": False,
            },
        },
    )
    return sharpen(build_translator(options, source_vocab=12, target_vocab=VOCAB))


@pytest.mark.parametrize("glimpses", [1, 2])
def test_translators_search_together(glimpses):
    keras.utils.set_random_seed(4)
    gru, lstm = {"kind": "gru", "units": 5}, {"kind": "lstm", "units": 7}
    models = [make_translator(gru, gru), make_translator(lstm, lstm, glimpses)]
    step, state = begin_translation(
        join_models(models, ["logits"]), np.array(SOURCES), beam_width=WIDTH
    )
    decoded = beam_search(step, state, beam_width=WIDTH, n_best=2, max_length=MAX_LENGTH)

    def outputs(source, tokens):
        inputs = {"source": np.array([source]), "target": np.array([[START, *tokens]])}
        return [model(inputs) for model in models]

    for row, source in enumerate(SOURCES):

        def probabilities(tokens, source=source):
            return np.mean([softmax(o["logits"])[0, -1] for o in outputs(source, tokens)], axis=0)

        check_search(decoded, row, probabilities)
        length = int(decoded.lengths[row, 0])
        best = np.asarray(decoded.ids)[row, 0, : length - 1]
        alignments = [np.asarray(o["alignments"])[0] for o in outputs(source, best)]
        expected = np.mean(alignments, axis=0) if glimpses == 1 else alignments[0]
        actual = np.asarray(decoded.alignments)[row, 0, :length, 0]
        np.testing.assert_allclose(actual, expected, atol=1e-4)


@pytest.mark.parametrize("kinds", [("soft", "top_down"), ("hard", "show_and_tell")])
def test_captioners_search_together(kinds):
    keras.utils.set_random_seed(6)
    encoder = {"kind": "features", "units": 4}
    models = [
        sharpen(
            build_captioner(
                caption_options(kind, encoder, units=units), vocab=VOCAB, image_shape=(2, 3, 8)
            )
        )
        for kind, units in zip(kinds, (5, 6), strict=True)
    ]
    step, state = begin_captioning(join_models(models, ["logits"]), IMAGES, beam_width=WIDTH)
    decoded = beam_search(step, state, beam_width=WIDTH, n_best=2, max_length=MAX_LENGTH)
    greedy = greedy_search(
        *begin_captioning(join_models(models, ["logits"]), IMAGES), max_length=MAX_LENGTH
    )

    def outputs(image, tokens):
        inputs = {"image": image[None], "image_index": np.zeros(1, "int32")}
        return [model({**inputs, "caption": np.array([[START, *tokens]])}) for model in models]

    for row, image in enumerate(IMAGES):

        def probabilities(tokens, image=image):
            return np.mean([softmax(o["logits"])[0, -1] for o in outputs(image, tokens)], axis=0)

        check_search(decoded, row, probabilities)
        length = int(greedy.lengths[row, 0])
        tokens = np.asarray(greedy.ids)[row, 0, :length].tolist()
        assert tokens == [int(probabilities(tokens[:t]).argmax()) for t in range(length)]
        has = [o["alignments"] for o in outputs(image, tokens[:-1]) if "alignments" in o]
        actual = np.asarray(greedy.alignments)[row, 0, :length]
        np.testing.assert_allclose(actual, np.mean(has, axis=0)[0], atol=1e-4)
