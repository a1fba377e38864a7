import pytest

from rnnpipe.pipelines import speech
from rnnpipe.records.directory import RecordsDirectory
from tests.sources.audio.writing import tone, write_wav


@pytest.fixture
def flags(tmp_path):
    rows = ["sound,says"]
    for number in range(8):
        write_wav(tmp_path / "raw" / f"{number}.wav", tone(0.2, 8000, 300 + number), 8000)
        rows.append(f"{number}.wav,number {number}")
    (tmp_path / "raw" / "texts.csv").write_text("\n".join([*rows, ""]))
    return {
        "source.kind": "table",
        "source.path": tmp_path / "raw",
        "source.table": "texts.csv",
        "source.file": "sound",
        "source.text": "says",
        "directory": tmp_path / "records",
        "splits.validation": 0.2,
        "splits.test": 0.2,
        "sound.rate": 8000,
    }


def build(flags, **more):
    every = flags | {name.replace("__", "."): value for name, value in more.items()}
    arguments = [part for name, value in every.items() for part in (f"--{name}", str(value))]
    return speech.main(arguments)


def test_it_builds_records_of_samples(flags, tmp_path, capsys, count_of):
    assert build(flags) == 0
    assert count_of(capsys.readouterr().out, "dead letters") == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert (records.spec.name, sum(records.splits.values())) == ("speech", 8)
    assert len(next(records.read("train"))["samples"]) == 1600


def test_it_computes_features(flags, tmp_path):
    assert build(flags, features__rate=8000, features__mels=10) == 0
    records = RecordsDirectory.open(tmp_path / "records")
    assert records.spec.name == "speech_features"
    assert next(records.read("train"))["features"].shape == (18, 10)


def test_mistakes_are_explained(flags, capsys):
    assert build(flags, source__text="what") == 2
    assert "expected a column called what, got sound, says" in capsys.readouterr().err
    assert build(flags, sound__min_seconds=50) == 2
    assert "--sound.min_seconds" in capsys.readouterr().err
    assert build(flags, features__mels=10) == 2
    assert "expected that of the sound, 8000, got 16000" in capsys.readouterr().err
