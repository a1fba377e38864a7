import keras
import numpy as np
import pytest

from rnnpipe.config.schema.video import Frames
from rnnpipe.errors import UserError
from rnnpipe.models.frame_labeler import build_frame_labeler
from rnnpipe.models.recurrence import build_recurrence
from rnnpipe.tasks.video.prediction import predict_video, stream_labels, stream_video

FRAMES = Frames(size=16, rate=5.0)
NAMES = {"frame": ["down", "still", "up"], "clip": ["a", "b"]}


def build(bidirectional=False):
    keras.utils.set_random_seed(4)
    return build_frame_labeler(
        image_size=16,
        frame_labels=3,
        clip_labels=2,
        channels=(4,),
        features=6,
        recurrence=build_recurrence("gru", 5, bidirectional=bidirectional),
    )


@pytest.fixture(scope="module")
def model():
    model = build()
    # Untrained, it would say the same of all frames.
    weights = model.get_layer("frame").get_weights()
    model.get_layer("frame").set_weights([weights[0] * 50, weights[1]])
    return model


@pytest.fixture
def clip(tmp_path, write_clip):
    levels = np.random.default_rng(1).integers(0, 255, 40).tolist()
    return str(write_clip(tmp_path / "clip.mp4", levels, rate=10))


def test_a_stream_has_the_labels_of_the_whole(model, clip):
    whole = predict_video(model, clip, FRAMES, NAMES)
    assert len(whole.timeline) > 3
    assert whole.timeline[0][0] == 0
    assert whole.timeline[-1][1] == pytest.approx(4)
    for (_, end, before, _), (start, _, label, _) in zip(
        whole.timeline, whole.timeline[1:], strict=False
    ):
        assert end == start
        assert before != label
    *lines, likeliest, other = "".join(stream_video(model, clip, FRAMES, NAMES)).splitlines()
    assert [line.split() for line in lines] == [
        [f"{start:.2f}", "s", label] for start, _, label, _ in whole.timeline
    ]
    told = [f"clip: {name} ({probability:.1%})" for name, probability in whole.answers]
    assert [likeliest, other] == told


def test_a_stream_says_what_it_sees_before_the_video_ends(model):
    def endless():
        while True:
            yield 0.1, np.zeros((16, 16, 3), "uint8")

    time, said = next(stream_labels(model, endless()))
    assert time == 0.1
    assert {name: values.shape for name, values in said.items()} == {"frame": (3,), "clip": (2,)}


def test_what_cannot_be_predicted(model, clip, tmp_path, write_clip):
    with pytest.raises(UserError, match=r"--video .*: expected a video that can be read, got No s"):
        predict_video(model, str(tmp_path / "none.mp4"), FRAMES, NAMES)
    short = str(write_clip(tmp_path / "short.mp4", [1], rate=50))
    with pytest.raises(UserError, match=r"expected a video of at least 0.1 s, got a shorter one"):
        list(stream_video(model, short, FRAMES, NAMES))
    with pytest.raises(UserError, match=r"a bidirectional one.* or predict without --stream"):
        list(stream_video(build(bidirectional=True), clip, FRAMES, NAMES))
