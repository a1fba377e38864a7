import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.models.ensemble import join_models
from rnnpipe.models.speech_recognizer import (
    IMPOSSIBLE,
    SpeechRecognizerOptions,
    begin_recognition,
    build_speech_recognizer,
    count_steps,
)
from rnnpipe.models.speech_stream import SpeechStream
from rnnpipe.text.tokens import PAD, START

MELS, VOCAB = 8, 7
LENGTHS = np.array([29, 12], "int32")
DECODER = {
    "embedding": {"size": 5},
    "decoder": {
        "cell": {"kind": "gru", "units": 6},
        "attention": {"kind": "location", "units": 4, "filters": 2, "kernel_size": 3},
    },
}
ENCODERS = {
    "none": None,
    "gru": {"cell": {"kind": "gru", "units": 5}, "bidirectional": False},
    "bidirectional": {"cell": {"kind": "gru", "units": 5}, "bidirectional": True},
    "pyramid": {
        "cell": {"kind": "lstm", "units": 5},
        "bidirectional": False,
        "depth": 2,
        "time_reduction": 2,
        "learned_state": True,
    },
}


def build(encoder="gru", output=None, **values):
    keras.utils.set_random_seed(3)
    subsampling = {"filters": 3, "depth": 2, **values}
    settings = {"subsampling": subsampling, "encoder": ENCODERS[encoder]}
    if output is not None:
        settings["output"] = output
    options = load_settings(SpeechRecognizerOptions, settings)
    statistics = {
        "mean": [-2.0 + n for n in range(MELS)],
        "variance": [1.0 + n for n in range(MELS)],
    }
    model = build_speech_recognizer(options, mels=MELS, vocab=VOCAB, **statistics)
    random = np.random.default_rng(1)
    model.set_weights([w + random.normal(0, 0.4, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(size=(2, 32, MELS)).astype("float32")


def inputs_of(features, lengths=LENGTHS, **more):
    return {"features": features, "lengths": np.array(lengths, "int32"), **more}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_padding_changes_nothing_and_is_blank(encoder, features):
    model = build(encoder)
    steps = np.asarray(count_steps(model, LENGTHS))
    together = model(inputs_of(features))["ctc"].numpy()
    noisy = features.copy()
    for row, length in enumerate(LENGTHS):
        noisy[row, length:] = np.nan
    np.testing.assert_allclose(model(inputs_of(noisy))["ctc"], together, atol=1e-5)
    for row, (length, count) in enumerate(zip(LENGTHS, steps, strict=True)):
        alone = model(inputs_of(features[row : row + 1, :length], [length]))["ctc"][0]
        assert len(alone) == count
        np.testing.assert_allclose(together[row, :count], alone, atol=1e-4)
        assert (together[row, count:, PAD] == 0).all()
        assert (np.delete(together[row, count:], PAD, axis=1) == np.float32(IMPOSSIBLE)).all()


@pytest.mark.parametrize("encoder", ["none", "gru", "pyramid"])
def test_a_stream_has_the_logits_of_the_whole(encoder, features):
    model = build(encoder)
    whole = model(inputs_of(features[:1, :29], [29]))["ctc"][0].numpy()
    stream = SpeechStream(model)
    frames, _ = stream.features_shape
    states = [np.zeros((1, *shape), "float32") for shape in stream.state_shapes]
    logits = []
    for number, start in enumerate(range(0, 29, frames), start=1):
        piece = np.full((1, frames, MELS), np.nan, "float32")
        read = features[:1, start : min(start + frames, 29)]
        piece[:, : read.shape[1]] = read
        length = np.array([read.shape[1]])
        output, states = stream(piece, length, states, np.array([[float(number)]], "float32"))
        logits.append(output[0].numpy())
    np.testing.assert_allclose(logits, whole, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"encoder": "bidirectional", "causal": True}, "expected a recurrence that reads forwards"),
        ({"causal": False}, "expected causal convolutions"),
        ({"output": {"kind": "attention", **DECODER}}, "expected a model with CTC"),
    ],
)
def test_what_needs_the_whole_recording_is_no_stream(model, message):
    with pytest.raises(UserError, match=message):
        SpeechStream(build(**model))


@pytest.mark.parametrize("encoder", ["none", "bidirectional", "pyramid"])
@pytest.mark.parametrize("kind", ["attention", "joint"])
def test_a_decoder_steps_as_it_reads_whole_texts(encoder, kind, features):
    model = build(encoder, {"kind": kind, **DECODER})
    target = np.array([[START, 4, 5, 6], [START, 6, 6, 4]])
    outputs = model(inputs_of(features, target=target))
    assert set(outputs) == {"logits", "alignments"} | ({"ctc"} if kind == "joint" else set())
    step, state = begin_recognition(model, inputs_of(features))
    for place in range(target.shape[1]):
        logits, state, alignments = step(target[:, place], state)
        np.testing.assert_allclose(logits, outputs["logits"][:, place], atol=1e-4)
        np.testing.assert_allclose(alignments[:, 0], outputs["alignments"][:, place], atol=1e-4)
    steps = np.asarray(count_steps(model, LENGTHS))
    assert (outputs["alignments"].numpy()[1, :, steps[1] :] == 0).all()


def test_an_ensemble_has_the_mean_probabilities(features):
    members = [build("gru"), build("bidirectional")]
    expected = np.mean([keras.ops.softmax(m(inputs_of(features))["ctc"]) for m in members], axis=0)
    joined = join_models(members, ["ctc"])(inputs_of(features))["ctc"]
    np.testing.assert_allclose(keras.ops.softmax(joined), expected, atol=1e-6)


def test_a_saved_model_is_the_same(features, tmp_path):
    model = build("bidirectional", {"kind": "joint", **DECODER})
    inputs = inputs_of(features, target=np.array([[START, 4], [START, 5]]))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    for name, values in model(inputs).items():
        np.testing.assert_array_equal(again(inputs)[name], values)
