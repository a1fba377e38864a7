from rnnpipe.pipelines import text_stream
from rnnpipe.records.directory import RecordsDirectory


def test_it_builds_and_reuses_records(tmp_path, capsys, count_of):
    path = tmp_path / "book.txt"
    path.write_text("to be or not to be\n" * 100)
    arguments = ["--source.kind", "text", "--source.path", str(path), "--splits.test", "0"]
    arguments += ["--directory", str(tmp_path / "records")]
    assert text_stream.main(arguments) == 0
    printed = capsys.readouterr()
    records = RecordsDirectory.open(tmp_path / "records")
    assert dict(records.splits) == {"train": 1, "validation": 1}
    assert count_of(printed.out, "train") == 1
    assert "2/2" in printed.err
    assert text_stream.main(arguments) == 0
    assert "holds these records already" in capsys.readouterr().out


def test_missing_files_are_reported(tmp_path, capsys):
    arguments = ["--source.kind", "text", "--source.path", str(tmp_path / "missing")]
    arguments += ["--directory", str(tmp_path / "records")]
    assert text_stream.main(arguments) == 2
    assert capsys.readouterr().err.startswith(
        f"rnnpipe.pipelines.text_stream: {tmp_path / 'missing'}: "
    )
