import pytest

from rnnpipe.pipelines import coco_captions
from rnnpipe.records.directory import RecordsDirectory


def flags(options):
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]


def test_it_builds_records_of_drawn_scenes(tmp_path, capsys, count_of):
    options = {
        "source.kind": "shapes_captions",
        "source.path": tmp_path / "raw",
        "source.images": 20,
        "source.size": 32,
        "image.size": 32,
        "caption.vocabulary": 30,
        "directory": tmp_path / "records",
    }
    assert coco_captions.main(flags(options)) == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert sum(records.splits.values()) == 20
    assert records.spec.name == "caption"
    assert count_of(capsys.readouterr().out, "train") == records.splits["train"]


def test_features_are_flags_too(tmp_path):
    options = {
        "source.kind": "shapes_captions",
        "source.path": tmp_path / "raw",
        "source.images": 10,
        "source.size": 32,
        "image.size": 32,
        "features.backbone.kind": "application",
        "features.backbone.name": "MobileNet",
        "features.backbone.weights": "none",
        "features.backbone.options": "{alpha: 0.25}",
        "features.layer": "conv_pw_3_relu",
        "features.image_size": 32,
        "directory": tmp_path / "records",
    }
    assert coco_captions.main(flags(options)) == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert records.spec.name == "caption_features"
    first = next(iter(records.read("train", ["image_features"])))
    assert first["image_features"].shape == (8, 8, 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source.splits": "{val: val}"}, "source.splits.val: expected train, validation or test"),
        ({"caption.vocabulary": "many"}, "--caption.vocabulary=many: expected an integer"),
    ],
)
def test_flags_are_checked_as_a_config_is(options, message, tmp_path, capsys):
    given = {"source.kind": "tfds", "source.name": "coco", "directory": tmp_path, **options}
    assert coco_captions.main(flags(given)) == 2
    assert message in capsys.readouterr().err


def test_mistakes_are_reported(shared_data, tmp_path, capsys):
    def error_of(kind, **source):
        given = {f"source.{name}": value for name, value in source.items()}
        options = {"source.kind": kind, **given, "directory": tmp_path / "records"}
        assert coco_captions.main(flags(options)) == 2
        return capsys.readouterr().err

    flickr8k, coco = shared_data / "flickr8k_mini", shared_data / "coco_mini"
    assert "captions of COCO (*captions*.json" in error_of("coco_captions", path=flickr8k)
    assert "one file of captions (*.token.txt)" in error_of("flickr8k", path=coco)
    assert "the name or the path of a data set, got neither" in error_of("tfds")
