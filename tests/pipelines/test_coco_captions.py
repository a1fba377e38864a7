from pipelines import coco_captions
from rnnpipe.records.directory import RecordsDirectory


def test_it_builds_records_of_drawn_scenes(tmp_path, capsys):
    options = {
        "source": "shapes_captions",
        "path": tmp_path / "raw",
        "output": tmp_path / "records",
        "images": 20,
        "image-size": 32,
        "vocabulary": 30,
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    assert coco_captions.main(arguments) == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert sum(records.splits.values()) == 20
    assert records.spec.name == "caption"
    assert f"train: {records.splits['train']} records" in capsys.readouterr().out


def test_options_of_each_source_and_of_features(shared_data, tmp_path, capsys):
    data, output = shared_data / "flickr8k_mini", str(tmp_path / "records")
    common = ["--source", "flickr8k", "--path", str(data), "--output", output]
    missing = ["--backbone", "ResNet50", "--weights", str(tmp_path / "none.h5")]
    assert coco_captions.main([*common, *missing]) == 2
    assert "data.features.weights: expected a file" in capsys.readouterr().err
    no_splits = ["--source", "coco_captions", "--path", str(data), "--output", output]
    assert coco_captions.main(no_splits) == 2
    assert "captions of COCO (*captions*.json" in capsys.readouterr().err
    nameless = ["--source", "tfds", "--path", str(tmp_path / "raw"), "--output", output]
    assert coco_captions.main(nameless) == 2
    assert "the name or the path of a data set, got neither" in capsys.readouterr().err
