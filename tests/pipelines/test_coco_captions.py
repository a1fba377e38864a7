import pytest

from rnnpipe.errors import UserError
from rnnpipe.pipelines import coco_captions
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


def test_splits_of_tensorflow_datasets_are_those_of_the_command_line(monkeypatch, capsys):
    opened = {}

    def open_source(path, fields, **options):
        opened.update(options, path=path, fields=fields)
        raise UserError("tfds", "a data set", "none", "stop here")

    monkeypatch.setattr(coco_captions, "TfdsCaptions", open_source)
    line = "--source tfds --path raw --output out --name coco_captions --number image/id --splits"
    assert coco_captions.main([*line.split(), "train=train+restval", "validation=val[:50%]"]) == 2
    assert opened["splits"] == {"train": "train+restval", "validation": "val[:50%]"}
    assert opened["fields"]["number"] == "image/id"
    capsys.readouterr()
    with pytest.raises(SystemExit):
        coco_captions.main([*line.split(), "val=val"])
    told = "expected SPLIT=PART with one of the splits train, validation, test, got val=val"
    assert told in capsys.readouterr().err


def test_mistakes_are_told(shared_data, tmp_path, capsys):
    def told(source, path):
        arguments = ["--source", source, "--path", str(path), "--output", str(tmp_path / "records")]
        assert coco_captions.main(arguments) == 2
        return capsys.readouterr().err

    flickr8k, coco = shared_data / "flickr8k_mini", shared_data / "coco_mini"
    assert "captions of COCO (*captions*.json" in told("coco_captions", flickr8k)
    assert "one file of captions (*.token.txt)" in told("flickr8k", coco)
    assert "the name or the path of a data set, got neither" in told("tfds", tmp_path / "raw")
