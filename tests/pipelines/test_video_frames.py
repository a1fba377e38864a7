import pytest

from rnnpipe.pipelines import video_frames
from rnnpipe.records.directory import RecordsDirectory


@pytest.fixture
def flags(tmp_path, write_clip):
    rows = []
    for number in range(8):
        write_clip(tmp_path / "raw" / f"{number}.mp4", [30 * number] * 6)
        rows.append(f"{number}.mp4,{number % 2}\n")
    (tmp_path / "raw" / "labels.csv").write_text("file,kind\n" + "".join(rows))
    return {
        "source.kind": "clips",
        "source.path": tmp_path / "raw",
        "source.table": "labels.csv",
        "source.clip": "file",
        "source.label": "kind",
        "directory": tmp_path / "records",
        "splits.validation": 0.2,
        "splits.test": 0.2,
        "frames.rate": 5,
        "frames.size": 16,
    }


def build(flags, **more):
    every = flags | {name.replace("__", "."): value for name, value in more.items()}
    arguments = [part for name, value in every.items() for part in (f"--{name}", str(value))]
    return video_frames.main(arguments)


def test_it_builds_records(flags, tmp_path, capsys, count_of):
    assert build(flags, frames__max_frames=2, frames__box="[0, 0, 1, 0.5]") == 0
    assert count_of(capsys.readouterr().out, "dead letters") == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert sum(records.splits.values()) == 16  # three frames of each clip, in windows of two
    assert records.clip_labels == ["0", "1"]


def test_it_computes_features(flags, tmp_path):
    backbone = {"kind": "application", "name": "MobileNet", "weights": "none"}
    more = {f"features__backbone__{name}": value for name, value in backbone.items()}
    more |= {"features__image_size": 32, "features__batch_size": 4}
    assert build(flags, **more, features__layer="conv_pw_1_relu") == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert records.spec.name == "video_features"
    assert next(records.read("train"))["frame_features"].shape == (3, 64)


def test_mistakes_are_explained(flags, tmp_path, capsys):
    assert build(flags, source__label="what") == 2
    assert "expected a column called what, got file, kind" in capsys.readouterr().err
    grid = {"source.kind": "grid", "source.path": tmp_path, "directory": tmp_path / "records"}
    assert build(grid, source__clip_label="kind") == 2
    message = "--source.clip_label=kind: expected command, color, preposition, letter"
    assert message in capsys.readouterr().err
