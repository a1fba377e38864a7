from rnnpipe.pipelines import text_stream
from rnnpipe.records.directory import RecordsDirectory


def test_it_builds_and_reuses_records(tmp_path, capsys, count_of):
    path = tmp_path / "book.txt"
    path.write_text("to be or not to be\n" * 100)
    arguments = ["--path", str(path), "--output", str(tmp_path / "records"), "--test", "0"]
    assert text_stream.main(arguments) == 0
    told = capsys.readouterr()
    records = RecordsDirectory.open(tmp_path / "records")
    assert dict(records.splits) == {"train": 1, "validation": 1}
    assert count_of(told.out, "train") == 1
    assert "2/2" in told.err
    assert text_stream.main(arguments) == 0
    assert "holds these records already" in capsys.readouterr().out


def test_mistakes_are_told(tmp_path, capsys):
    arguments = ["--path", str(tmp_path / "missing"), "--output", str(tmp_path / "records")]
    assert text_stream.main(arguments) == 2
    assert capsys.readouterr().err.startswith(
        f"rnnpipe.pipelines.text_stream: {tmp_path / 'missing'}: "
    )
