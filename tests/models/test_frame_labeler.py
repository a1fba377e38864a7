import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.models.frame_labeler import build_frame_labeler, build_stream
from rnnpipe.models.recurrence import build_recurrence

FRAMES = np.random.default_rng(0).integers(0, 255, (7, 16, 16, 3)).astype("uint8")
SIZES = {"image_size": 16, "channels": (4,), "features": 6}


def build(kind="gru", *, frame_labels=5, clip_labels=3, pooling="mean", **options):
    recurrence = kind and build_recurrence(kind, 4, **options)
    labels = {"frame_labels": frame_labels, "clip_labels": clip_labels}
    return build_frame_labeler(**SIZES, **labels, recurrence=recurrence, pooling=pooling)


def label(model, index):
    return model({"frames": FRAMES, "frame_index": np.array(index)}, training=False)


def test_padding_and_the_other_clips_change_nothing():
    model = build(bidirectional=True)
    alone = label(model, [[0, 1, 2]])
    beside = label(model, [[3, 4, 5, 6, -1], [0, 1, 2, -1, -1]])
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
    ("kind", "options"),
    [
        ("gru", {"depth": 2}),
        ("lstm", {"pooling": "max"}),
        ("vanilla", {}),
        ("highway", {}),
        (None, {}),
    ],
)
def test_a_stream_says_what_the_whole_says(kind, options):
    model = build(kind, **options)
    whole = label(model, [range(7)])
    stream = build_stream(model)
    states = [np.zeros((1, state.shape[-1]), "float32") for state in stream.input["states"]]
    pooled = np.zeros((1, stream.input["pooled"].shape[-1]), "float32")
    for number in range(1, 8):
        said = stream(
            {
                "image": FRAMES[number - 1 : number],
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


def test_every_weight_learns_and_the_model_comes_back(tmp_path):
    model = build(bidirectional=True)
    before = [np.array(weight) for weight in model.trainable_weights]
    model.compile("sgd", {"frame": "sparse_categorical_crossentropy"} | {"clip": "mse"})
    inputs = {"frames": FRAMES, "frame_index": np.array([[0, 1, 2, 3], [4, 5, 6, -1]])}
    model.train_on_batch(inputs, {"frame": np.ones((2, 4)), "clip": np.ones((2, 3))})
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(weight, old), weight.path
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(again(inputs)["clip"], model(inputs)["clip"], atol=1e-6)
