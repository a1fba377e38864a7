import json
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.models.frame_labeler import FrameLabelerOptions, build_frame_labeler
from rnnpipe.sources.videos.decoding import read_video
from rnnpipe.tasks.video_labeling import frames as frames_module
from rnnpipe.tasks.video_labeling.network import make_step
from rnnpipe.tasks.video_labeling.streaming import stream_labels
from rnnpipe.tasks.video_labeling.task import VideoLabelingTask
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
    frames = greys if features is None else features.vectors(greys)
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


@pytest.fixture
def make_predictor(tmp_path):
    """The predictor of a model; its task has the data alone."""
    (tmp_path / "labels.json").write_text(json.dumps(NAMES["frame"]))
    (tmp_path / "clip_labels.json").write_text(json.dumps(NAMES["clip"]))

    def make(model, features=None):
        task: Any = VideoLabelingTask.__new__(VideoLabelingTask)
        data = SimpleNamespace(frames=FRAMES, features=features)
        task.config = SimpleNamespace(data=data, evaluate=SimpleNamespace(batch_size=4))
        return task.make_predictor(tmp_path, task.make_network(model, tmp_path))

    return make


@pytest.mark.parametrize("of_features", [False, True])
def test_a_stream_has_the_labels_of_the_whole(clip, of_features, features, make_predictor):
    features = features if of_features else None
    predictor = make_predictor(build(features=features), features)
    whole = predictor.predict_one({"video": clip})
    assert len(whole.timeline) > 3
    assert whole.timeline[0][0] == 0
    assert whole.timeline[-1][1] == pytest.approx(4)
    for (_, end, before, _), (start, _, label, _) in zip(
        whole.timeline, whole.timeline[1:], strict=False
    ):
        assert end == start
        assert before != label
    assert whole.picture.startswith(b"\x89PNG")
    *lines, likeliest, other = "".join(predictor.stream({"video": clip})).splitlines()
    assert [line.split() for line in lines] == [
        [f"{start:.2f}", "s", label] for start, _, label, _ in whole.timeline
    ]
    lines = [f"clip: {answer.text} ({answer.probability:.1%})" for answer in whole.answers]
    assert [likeliest, other] == lines


def test_videos_are_labeled_in_any_batch(model, clip, tmp_path, write_clip, make_predictor):
    levels = np.random.default_rng(2).integers(0, 255, 17).tolist()
    paths = [clip, str(write_clip(tmp_path / "short.mp4", levels, rate=10)), clip]
    predictor = make_predictor(model)
    alone = [predictor.predict_one({"video": path}) for path in paths]
    broken = str(tmp_path / "none.mp4")
    together = list(predictor.predict({"video": path} for path in [*paths, broken]))
    assert "expected a video that can be read" in str(together.pop())
    for one, other in zip(alone, together, strict=True):
        assert [segment[:3] for segment in one.timeline] == [each[:3] for each in other.timeline]
        for answers in ("answers", "timeline"):
            pairs = zip(getattr(one, answers), getattr(other, answers), strict=True)
            assert all(a.probability == pytest.approx(b.probability, abs=1e-6) for a, b in pairs)


def test_a_stream_yields_labels_before_the_video_ends(model):
    def endless():
        while True:
            yield 0.1, np.zeros((16, 16, 3), "uint8")

    time, probabilities = next(stream_labels(make_step(model), endless()))
    assert time == 0.1
    assert {name: values.shape for name, values in probabilities.items()} == {
        "frame": (3,),
        "clip": (2,),
    }


def test_features_of_a_stream_are_computed_frame_by_frame(
    clip, features, monkeypatch, make_predictor
):
    asked = []

    def read(path):
        for shown in read_video(path):
            asked.append(shown.index)
            yield shown

    monkeypatch.setattr(frames_module, "read_video", read)
    lines = make_predictor(build(features=features), features).stream({"video": clip})
    next(lines)
    assert len(asked) <= 2  # at five frames a second every second one is seen


def test_impossible_predictions_are_refused(model, clip, tmp_path, write_clip, make_predictor):
    predictor = make_predictor(model)
    with pytest.raises(UserError, match=r"--video .*: expected a video that can be read, got No s"):
        predictor.predict_one({"video": str(tmp_path / "none.mp4")})
    short = str(write_clip(tmp_path / "short.mp4", [1], rate=50))
    with pytest.raises(UserError, match=r"expected a video of at least 0.1 s, got a shorter one"):
        list(predictor.stream({"video": short}))
    with pytest.raises(UserError, match=r"a bidirectional one.* or predict without --stream"):
        list(make_predictor(build(bidirectional=True)).stream({"video": clip}))
