import keras
import numpy as np
import pytest
from rnnpipe.models.frame_encoders import build_feature_frame_encoder, build_frame_encoder
from rnnpipe.models.recurrence import build_recurrence

from rnnpipe.errors import UserError
from rnnpipe.models.frame_labeler import build_frame_labeler, build_stream

FRAMES = np.random.default_rng(0).integers(0, 255, (7, 16, 16, 3)).astype("uint8")
FEATURES = np.random.default_rng(1).normal(size=(7, 9)).astype("float32")


def build(kind="gru", *, seen=FRAMES, frame_labels=5, clip_labels=3, pooling="mean", **options):
    encoder = build_frame_encoder(16, channels=(4,), features=6)
    if seen is FEATURES:
        encoder = build_feature_frame_encoder(9, features=6)
    recurrence = kind and build_recurrence(kind, 4, **options)
    labels = {"frame_labels": frame_labels, "clip_labels": clip_labels}
    return build_frame_labeler(encoder, **labels, recurrence=recurrence, pooling=pooling)


def label(model, index, seen=FRAMES):
    return model({"frames": seen, "frame_index": np.array(index)}, training=False)


@pytest.fixture(params=[FRAMES, FEATURES], ids=["images", "features"])
def seen(request):
    return request.param


def test_padding_and_the_other_clips_change_nothing(seen):
    model = build(bidirectional=True, seen=seen)
    alone = label(model, [[0, 1, 2]], seen)
    beside = label(model, [[3, 4, 5, 6, -1], [0, 1, 2, -1, -1]], seen)
    np.testing.assert_allclose(beside["frame"][1, :3], alone["frame"][0], atol=1e-6)
    np.testing.assert_allclose(beside["clip"][1], alone["clip"][0], atol=1e-6)


def test_motion_is_seen_with_recurrence_alone():
    for kind, differs in (("gru", True), (None, False)):
        model = build(kind)
        one, other = label(model, [[0, 1]]), label(model, [[2, 1]])
        same = np.allclose(one["frame"][0, 1], other["frame"][0, 1], atol=1e-6)
        assert same is not differs
        forth, back = label(model, [[0, 1, 2]]), label(model, [[2, 1, 0]])
        assert np.allclose(forth["clip"], back["clip"], atol=1e-6) is not differs


@pytest.mark.parametrize(
    ("kind", "options", "seen"),
    [
        ("gru", {"depth": 2}, FRAMES),
        ("lstm", {"pooling": "max"}, FRAMES),
        ("vanilla", {}, FRAMES),
        ("highway", {}, FRAMES),
        (None, {}, FRAMES),
        ("lstm", {}, FEATURES),
    ],
)
def test_a_stream_says_what_the_whole_says(kind, options, seen):
    model = build(kind, seen=seen, **options)
    whole = label(model, [range(7)], seen)
    stream = build_stream(model)
    states = [np.zeros((1, state.shape[-1]), "float32") for state in stream.input["states"]]
    pooled = np.zeros((1, stream.input["pooled"].shape[-1]), "float32")
    for number in range(1, 8):
        said = stream(
            {
                "frames": seen[number - 1 : number],
                "states": states,
                "pooled": pooled,
                "number": np.array([[number]], "float32"),
            }
        )
        np.testing.assert_allclose(said["frame"][0], whole["frame"][0, number - 1], atol=1e-5)
        states, pooled = list(map(np.asarray, said["states"])), np.asarray(said["pooled"])
    np.testing.assert_allclose(said["clip"], whole["clip"], atol=1e-5)


def test_a_bidirectional_model_is_no_stream():
    with pytest.raises(UserError, match="expected a recurrence that reads forwards, got a bidir"):
        build_stream(build(bidirectional=True))


def test_there_must_be_something_to_say():
    with pytest.raises(UserError, match="expected labels, got none"):
        build(frame_labels=0, clip_labels=0)
    assert list(build(frame_labels=0).output) == ["clip"]


def test_an_encoder_of_another_name_would_not_be_found():
    frame = keras.Input((16, 16, 3))
    other = keras.Model(frame, keras.layers.Flatten()(frame), name="other")
    with pytest.raises(UserError, match="expected an encoder called frame_encoder, got other"):
        build_frame_labeler(other, frame_labels=2, clip_labels=0)


def test_every_weight_learns_and_the_model_comes_back(tmp_path, seen):
    model = build(bidirectional=True, seen=seen)
    before = [np.array(weight) for weight in model.trainable_weights]
    model.compile("sgd", {"frame": "sparse_categorical_crossentropy"} | {"clip": "mse"})
    inputs = {"frames": seen, "frame_index": np.array([[0, 1, 2, 3], [4, 5, 6, -1]])}
    model.train_on_batch(inputs, {"frame": np.ones((2, 4)), "clip": np.ones((2, 3))})
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(weight, old), weight.path
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(again(inputs)["clip"], model(inputs)["clip"], atol=1e-6)
