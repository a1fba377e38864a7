import pytest
from PIL import Image

from rnnpipe.pipelines import image_classes
from rnnpipe.records.directory import RecordsDirectory


@pytest.mark.parametrize("features", [False, True])
def test_it_builds_records(features, tmp_path, capsys, count_of):
    for label in ("rose", "tulip"):
        for number in range(8):
            path = tmp_path / "raw" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (20, 10), (10 * number, 0, 0)).save(path)
    flags = ["--source.kind", "image_folders", "--source.path", str(tmp_path / "raw")]
    flags += ["--image.size", "16", "--directory", str(tmp_path / "records")]
    if features:
        flags += ["--features.backbone.kind", "application", "--features.backbone.weights", "none"]
        flags += ["--features.backbone.name", "MobileNet", "--features.image_size", "32"]
        flags += ["--features.layer", "conv_pw_1_relu"]
    assert image_classes.main(flags) == 0
    assert count_of(capsys.readouterr().out, "dead letters") == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert sum(records.splits.values()) == 16
    assert records.labels == ["rose", "tulip"]
    first = next(records.read("train"))
    assert ("image_features" in first) is features


def test_mistakes_are_explained(tmp_path, capsys):
    flags = ["--source.kind", "image_folders", "--source.path", str(tmp_path / "none")]
    assert image_classes.main([*flags, "--directory", str(tmp_path / "records")]) == 2
    assert "expected a folder with a folder for each label" in capsys.readouterr().err
