import pytest

from pipelines.command import make_parser, run


def run_with(make, tmp_path):
    parser = make_parser("pipelines.numbers", None)
    return run("pipelines.numbers", parser, make, ["--output", str(tmp_path / "records")])


def test_a_file_that_cannot_be_read_is_told(tmp_path, capsys):
    def make(options):
        (tmp_path / "raw.txt").read_text()

    assert run_with(make, tmp_path) == 2
    told = capsys.readouterr().err
    assert told == f"pipelines.numbers: {tmp_path / 'raw.txt'}: No such file or directory\n"


def test_a_fault_of_ours_is_not_taken_for_a_file_s(tmp_path):
    def make(options):
        raise OSError("no file has to do with it")

    with pytest.raises(OSError, match="no file"):
        run_with(make, tmp_path)


def test_the_keyboard_ends_it(tmp_path, capsys):
    def make(options):
        raise KeyboardInterrupt

    assert run_with(make, tmp_path) == 130
    assert capsys.readouterr().err == "pipelines.numbers: interrupted\n"
