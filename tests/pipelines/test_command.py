import pytest

from rnnpipe.pipelines import image_classes
from rnnpipe.pipelines.command import make_parser, run


def run_with(make, tmp_path):
    parser = make_parser("rnnpipe.pipelines.numbers", None)
    return run("rnnpipe.pipelines.numbers", parser, make, ["--output", str(tmp_path / "records")])


def test_a_file_that_cannot_be_read_is_told(tmp_path, capsys):
    def make(options):
        (tmp_path / "raw.txt").read_text()

    assert run_with(make, tmp_path) == 2
    told = capsys.readouterr().err
    assert told == f"rnnpipe.pipelines.numbers: {tmp_path / 'raw.txt'}: No such file or directory\n"


def test_a_fault_of_ours_is_not_taken_for_a_file_s(tmp_path):
    def make(options):
        raise OSError("no file has to do with it")

    with pytest.raises(OSError, match="no file"):
        run_with(make, tmp_path)


def test_the_keyboard_ends_it(tmp_path, capsys):
    def make(options):
        raise KeyboardInterrupt

    assert run_with(make, tmp_path) == 130
    assert capsys.readouterr().err == "rnnpipe.pipelines.numbers: interrupted\n"


def test_a_misspelt_option_of_beam_s_is_told_before_raw_data_is_looked_for(tmp_path, capsys):
    arguments = ["--output", str(tmp_path / "records"), "--path", "no/such"]
    assert image_classes.main([*arguments, "--", "--flink_mastr=localhost:8081"]) == 2
    told = (
        "rnnpipe.pipelines.image_classes: options after `--`: expected options that Beam and"
        " its runner know, got --flink_mastr; did you mean --flink_master?\n"
    )
    assert capsys.readouterr().err == told
