from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.models.frame_labeler import FrameLabelerOptions, build_frame_labeler
from rnnpipe.sources.videos.decoding import read_video
from rnnpipe.tasks.video_labeling import prediction
from rnnpipe.tasks.video_labeling.prediction import predict_video, stream_labels, stream_video
from rnnpipe.transforms.recipes.video_frames import FrameOptions
from tests.transforms.recipes.backbone import CHANNELS, make_features, write_weights

FRAMES = FrameOptions(size=16, rate=5.0)
NAMES = {"frame": ["down", "still", "up"], "clip": ["a", "b"]}


def build(bidirectional=False, features=None):
    keras.utils.set_random_seed(4)
    encoder: dict[str, Any] = {"kind": "cnn", "channels": [4]}
    shape: tuple[int, ...] = (16, 16, 3)
    if features is not None:
        encoder, shape = {"kind": "features", "units": None}, (CHANNELS,)
    recurrence = {"cell": {"kind": "gru", "units": 5}, "bidirectional": bidirectional}
    values = {"frame_encoder": {"image_encoder": encoder, "units": 6}, "recurrence": recurrence}
    options = load_settings(FrameLabelerOptions, values)
    model = build_frame_labeler(options, frame_shape=shape, frame_labels=3, clip_labels=2)
    _spread_labels(model, features)
    return model


def _spread_labels(model, features):
    """Scales the logits: untrained, all frames would have one label."""
    side = 16 if features is None else features.image_size
    greys = np.stack([np.full((side, side, 3), level, "uint8") for level in range(0, 250, 25)])
    frames = greys if features is None else features.average(greys)
    logits = model({"frames": frames, "frame_index": np.arange(len(frames))[None]})["frame"][
        0
    ].numpy()
    kernel, _ = model.get_layer("frame").get_weights()
    scale = 5 / logits.std(axis=0)
    model.get_layer("frame").set_weights([kernel * scale, -logits.mean(axis=0) * scale])


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture
def clip(tmp_path, write_clip):
    levels = np.random.default_rng(1).integers(0, 255, 40).tolist()
    return str(write_clip(tmp_path / "clip.mp4", levels, rate=10))


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    write_weights(path)
    return make_features(path, batch_size=3)


@pytest.mark.parametrize("of_features", [False, True])
def test_a_stream_has_the_labels_of_the_whole(clip, of_features, features):
    features = features if of_features else None
    model = build(features=features)
    whole = predict_video(model, clip, FRAMES, NAMES, features)
    assert len(whole.timeline) > 3
    assert whole.timeline[0][0] == 0
    assert whole.timeline[-1][1] == pytest.approx(4)
    for (_, end, before, _), (start, _, label, _) in zip(
        whole.timeline, whole.timeline[1:], strict=False
    ):
        assert end == start
        assert before != label
    *lines, likeliest, other = "".join(
        stream_video(model, clip, FRAMES, NAMES, features)
    ).splitlines()
    assert [line.split() for line in lines] == [
        [f"{start:.2f}", "s", label] for start, _, label, _ in whole.timeline
    ]
    expected_lines = [f"clip: {name} ({probability:.1%})" for name, probability in whole.answers]
    assert [likeliest, other] == expected_lines


def test_a_stream_yields_labels_before_the_video_ends(model):
    def endless():
        while True:
            yield 0.1, np.zeros((16, 16, 3), "uint8")

    time, probabilities = next(stream_labels(model, endless()))
    assert time == 0.1
    assert {name: values.shape for name, values in probabilities.items()} == {
        "frame": (3,),
        "clip": (2,),
    }


def test_features_of_a_stream_are_computed_frame_by_frame(clip, features, monkeypatch):
    asked = []

    def read(path):
        for shown in read_video(path):
            asked.append(shown.index)
            yield shown

    monkeypatch.setattr(prediction, "read_video", read)
    lines = stream_video(build(features=features), clip, FRAMES, NAMES, features)
    next(lines)
    assert len(asked) <= 2  # at five frames a second every second one is seen


def test_impossible_predictions_are_refused(model, clip, tmp_path, write_clip):
    with pytest.raises(UserError, match=r"--video .*: expected a video that can be read, got No s"):
        predict_video(model, str(tmp_path / "none.mp4"), FRAMES, NAMES)
    short = str(write_clip(tmp_path / "short.mp4", [1], rate=50))
    with pytest.raises(UserError, match=r"expected a video of at least 0.1 s, got a shorter one"):
        list(stream_video(model, short, FRAMES, NAMES))
    with pytest.raises(UserError, match=r"a bidirectional one.* or predict without --stream"):
        list(stream_video(build(bidirectional=True), clip, FRAMES, NAMES))
