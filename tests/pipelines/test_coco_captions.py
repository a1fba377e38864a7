from pipelines import coco_captions
from rnnpipe.records.directory import RecordsDirectory


def test_it_builds_records_of_drawn_scenes(tmp_path, capsys, count_of):
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
    assert count_of(capsys.readouterr().out, "train") == records.splits["train"]


def test_mistakes_are_told(shared_data, tmp_path, capsys):
    def told(source, path):
        arguments = ["--source", source, "--path", str(path), "--output", str(tmp_path / "records")]
        assert coco_captions.main(arguments) == 2
        return capsys.readouterr().err

    flickr8k, coco = shared_data / "flickr8k_mini", shared_data / "coco_mini"
    assert "captions of COCO (*captions*.json" in told("coco_captions", flickr8k)
    assert "one file of captions (*.token.txt)" in told("flickr8k", coco)
    assert "the name or the path of a data set, got neither" in told("tfds", tmp_path / "raw")
