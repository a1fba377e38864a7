import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.config.schema import SCHEMAS
from rnnpipe.errors import UserError


@pytest.mark.parametrize(
    ("source", "settings", "told"),
    [
        ("{kind: moving_shapes, size: 33}", [], "data.source.size"),
        (
            "{kind: moving_shapes}",
            ["data.frames.box=[0.5, 0, 0.5, 1]"],
            "box=[0.5, 0, 0.5, 1]: expected left < right and top < bottom",
        ),
        ("{kind: tfds}", [], "expected the name or the path of a data set, got neither"),
        (
            "{kind: clips, path: x}",
            ["train.keep_best.metric=frame_accuracy"],
            "expected clip_accuracy or loss, got frame_accuracy; frames have no labels",
        ),
    ],
)
def test_mistakes(tmp_path, source, settings, told):
    path = tmp_path / "config.yaml"
    path.write_text(f"task: video\ndata:\n  source: {source}\n")
    with pytest.raises(UserError) as fault:
        load_config(path, SCHEMAS, settings)
    assert told in str(fault.value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{kind: moving_shapes}", True),
        ("{kind: grid, path: x}", True),
        ("{kind: clips, path: x}", False),
        ("{kind: clips, path: x, frame_labels: y.csv}", True),
        ("{kind: tfds, name: ucf101}", False),
    ],
)
def test_whether_frames_have_labels_is_known_before_there_are_any(tmp_path, source, expected):
    path = tmp_path / "config.yaml"
    path.write_text(f"task: video\ndata:\n  source: {source}\n")
    assert load_config(path, SCHEMAS).data.labels_frames is expected
