import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.models.frame_labeler import (
    FrameLabelerOptions,
    build_frame_labeler,
    build_stream,
)
from rnnpipe.parts.cells import CellOptions

FRAMES = np.random.default_rng(0).integers(0, 255, (7, 16, 16, 3)).astype("uint8")
FEATURES = np.random.default_rng(1).normal(size=(7, 9)).astype("float32")


IMAGE_ENCODERS = {
    "images": {"kind": "cnn", "channels": [4]},
    "features": {"kind": "features", "units": None},
}
FORWARD = [kind for kind in CellOptions.kinds.load() if kind != "att2in"]


def build(kind="gru", *, seen=FRAMES, pooling="mean", frame_labels=5, clip_labels=3, **options):
    encoder = IMAGE_ENCODERS["features" if seen is FEATURES else "images"]
    values = {"frame_encoder": {"image_encoder": encoder, "units": 6}, "pooling": pooling}
    values["recurrence"] = kind and {"cell": {"kind": kind, "units": 4}, **options}
    return build_frame_labeler(
        load_settings(FrameLabelerOptions, values),
        frame_shape=seen.shape[1:],
        frame_labels=frame_labels,
        clip_labels=clip_labels,
    )


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


def test_only_recurrence_reads_motion():
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
        *((kind, {}, FRAMES) for kind in FORWARD),
        ("gru", {"depth": 2, "connection": "highway"}, FRAMES),
        ("lstm", {"pooling": "max"}, FRAMES),
        ("lstm", {"zoneout": 0.2, "dropout": 0.3, "depth": 2}, FRAMES),
        ("peephole_lstm", {"learned_state": True, "depth": 2}, FRAMES),
        (None, {}, FRAMES),
        ("lstm", {}, FEATURES),
    ],
)
def test_a_stream_labels_as_the_whole_does(kind, options, seen):
    model = build(kind, seen=seen, **options)
    draw_first_states(model)
    whole = label(model, [range(7)], seen)
    stream = build_stream(model)
    states = [np.zeros((1, state.shape[-1]), "float32") for state in stream.input["states"]]
    pooled = np.zeros((1, stream.input["pooled"].shape[-1]), "float32")
    for number in range(1, 8):
        step = stream(
            {
                "frames": seen[number - 1 : number],
                "states": states,
                "pooled": pooled,
                "number": np.array([[number]], "float32"),
            }
        )
        np.testing.assert_allclose(step["frame"][0], whole["frame"][0, number - 1], atol=1e-5)
        states, pooled = list(map(np.asarray, step["states"])), np.asarray(step["pooled"])
    np.testing.assert_allclose(step["clip"], whole["clip"], atol=1e-5)


def draw_first_states(model):
    """Learned states start from zeros, as others do."""
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        if "first_states" in weight.path:
            weight.assign(rng.normal(size=weight.shape))


def test_a_bidirectional_model_is_refused_as_a_stream():
    with pytest.raises(UserError, match="expected a recurrence that reads forwards, got a bidir"):
        build_stream(build(bidirectional=True))


def test_there_must_be_labels():
    with pytest.raises(UserError, match="expected labels, got none"):
        build(frame_labels=0, clip_labels=0)
    assert list(build(frame_labels=0).output) == ["clip"]


def test_a_cell_that_reads_context_is_refused():
    with pytest.raises(UserError, match=r"recurrence.cell.kind: expected a cell that reads a seq"):
        build("att2in")


def test_custom_layers_need_the_names_of_the_parts():
    frame = keras.Input((16, 16, 3))
    options = {"frame_shape": (16, 16, 3), "frame_labels": 2, "clip_labels": 0}
    for name, message in (("frame_encoder", None), ("other", "expected an encoder named frame_")):
        encoder = keras.Model(frame, keras.layers.Flatten()(frame), name=name)
        if message is None:
            build_frame_labeler(FrameLabelerOptions(), frame_encoder=encoder, **options)
            continue
        with pytest.raises(UserError, match=message):
            build_frame_labeler(FrameLabelerOptions(), frame_encoder=encoder, **options)
    memory = {"return_sequences": True, "return_state": True}
    with pytest.raises(UserError, match="expected a recurrence named recurrence, got gru"):
        build_frame_labeler(
            FrameLabelerOptions(), recurrence=keras.layers.GRU(3, name="gru", **memory), **options
        )
    own = keras.layers.Bidirectional(keras.layers.GRU(3, **memory), name="recurrence")
    model = build_frame_labeler(FrameLabelerOptions(), recurrence=own, **options)
    with pytest.raises(UserError, match="expected a recurrence that reads forwards"):
        build_stream(model)


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
