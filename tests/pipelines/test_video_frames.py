import pytest

from rnnpipe.pipelines import video_frames
from rnnpipe.records.directory import RecordsDirectory


@pytest.fixture
def arguments(tmp_path, write_clip):
    rows = []
    for number in range(8):
        write_clip(tmp_path / "raw" / f"{number}.mp4", [30 * number] * 6)
        rows.append(f"{number}.mp4,{number % 2}\n")
    (tmp_path / "raw" / "labels.csv").write_text("file,kind\n" + "".join(rows))
    told = ["--source", "clips", "--path", str(tmp_path / "raw"), "--table", "labels.csv"]
    told += ["--clip", "file", "--label", "kind", "--output", str(tmp_path / "records")]
    return [*told, "--validation", "0.2", "--test", "0.2"]


def test_it_builds_records(arguments, tmp_path, capsys, count_of):
    options = ["--rate", "5", "--image-size", "16", "--most", "2", "--box", "0", "0", "1", "0.5"]
    assert video_frames.main([*arguments, *options]) == 0
    assert count_of(capsys.readouterr().out, "dead letters") == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert sum(records.splits.values()) == 16  # three frames of each clip, in windows of two
    assert records.clip_labels == ["0", "1"]


def test_it_computes_features(arguments, tmp_path):
    options = {"backbone": "MobileNet", "weights": "none", "backbone-image-size": "32"}
    options |= {"layer": "conv_pw_1_relu", "batch-size": "4", "rate": "5", "image-size": "16"}
    told = [part for name, value in options.items() for part in (f"--{name}", value)]
    assert video_frames.main([*arguments, *told]) == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert records.spec.name == "video_features"
    assert next(records.read("train"))["frame_features"].shape == (3, 64)


def test_mistakes_are_told(arguments, tmp_path, capsys):
    assert video_frames.main([*arguments, "--label", "what"]) == 2
    assert "expected a column called what, got file, kind" in capsys.readouterr().err
    grid = ["--source", "grid", "--path", str(tmp_path), "--output", str(tmp_path / "records")]
    assert video_frames.main([*grid, "--label", "kind"]) == 2
    assert "--label: expected one of command, color" in capsys.readouterr().err
