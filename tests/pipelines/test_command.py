"""Flags are the settings of a pipeline: their help, values and errors."""

import subprocess
import sys

import pytest

from rnnpipe.pipelines import command, text_stream
from rnnpipe.pipelines.command import run
from rnnpipe.pipelines.flags import make_parser, read_flags
from rnnpipe.settings import Kinds, Positive, Settings, fraction, setting
from rnnpipe.transforms.options import BuildOptions, Data
from rnnpipe.transforms.recipes.text_stream import StreamData

PROGRAM = "rnnpipe.pipelines.numbers"


class Shape(Settings):
    kinds = Kinds(
        "rnnpipe.test_shapes", {"circle": f"{__name__}:Circle", "square": f"{__name__}:Square"}
    )

    size: int = setting(8, "in pixels", ge=1)


class Circle(Shape):
    kind: str = "circle"
    colour: str = setting("red", "inside")


class Square(Shape):
    kind: str = "square"
    colour: str = setting("blue", "of 50 % of its sides")
    sides: tuple[Positive, ...] = setting((1, 2), "their lengths", min_length=1)


class Drawing(Settings):
    names: dict[str, str] = setting({}, "of all things")
    blur: float | None = setting(None, "in pixels; null: none", gt=0)
    title: str = setting(help="above it")
    grey: bool = setting(False, "whether it has no colours")
    shape: Shape = Square(size=3)
    noise: float = fraction(help="share of the pixels")


def help_of(settings, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    return make_parser(PROGRAM, "Draws.", settings).format_help()


def test_the_help_has_a_line_for_each_setting_in_groups_of_sections(monkeypatch):
    assert (
        help_of(Drawing, monkeypatch)
        == """\
usage: python -m rnnpipe.pipelines.numbers [--FLAG VALUE ...] [-- BEAM OPTIONS]

Draws.

options:
  -h, --help           show this help message and exit

settings:
  --names MAPPING      of all things (default: {})
  --blur X             in pixels; null: none
  --title TEXT         above it (required)
  --grey true|false    whether it has no colours (default: false)
  --noise X            share of the pixels (default: 0.0)

shape:
  --shape.size N       circle: in pixels (default: 8); square: in pixels (default: 3)
  --shape.kind TEXT    the kind of shape
  --shape.colour TEXT  circle: inside (default: red); square: of 50 % of its sides (default: blue)
  --shape.sides LIST   square: their lengths (default: [1, 2])

Values are YAML: a list is '[a, b]', a mapping '{a: b}', nothing is null.
"""
    )


def test_the_help_of_a_pipeline_names_the_kinds_of_its_sources(monkeypatch):
    text = help_of(StreamData, monkeypatch)
    assert "--source.kind python_topics|text" in text
    assert (
        "--symbols char|word   what the model predicts: characters, or words (default: char)"
        in text
    )
    assert "--source.encoding TEXT\n                        text: of the files" in text


def test_help_imports_neither_beam_nor_keras_nor_pydantic():
    code = """
import sys
from rnnpipe.pipelines import text_stream
try:
    text_stream.main(["--help"])
except SystemExit as end:
    assert end.code == 0
heavy = {"apache_beam", "keras", "tensorflow", "tensorflow_datasets", "pydantic", "yaml"}
print("heavy:", sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.endswith("heavy: []\n")


def test_flags_are_read_as_names_and_values():
    parser = make_parser(PROGRAM, None, Drawing)
    arguments = ["--title", "a b", "--shape.kind=circle", "--shape.colour", "", "--titel", "c"]
    assert read_flags(parser, [*arguments, "--gray=true"]) == [
        "title=a b",
        "shape.kind=circle",
        "shape.colour=",
        "titel=c",
        "gray=true",
    ]


def test_arguments_that_are_no_flags_are_refused(capsys):
    with pytest.raises(SystemExit) as end:
        read_flags(make_parser(PROGRAM, None, Drawing), ["--title", "a", "b"])
    assert end.value.code == 2
    assert "expected flags, each with one value, got b" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "--source.kind: expected python_topics or text, got nothing; add --source.kind",
        ),
        (
            ["--source.kind", "txt"],
            '--source.kind=txt: expected python_topics or text, got "txt"; did you mean text?',
        ),
        (
            ["--source.kind", "text"],
            "--source.path: expected a path, got nothing; add --source.path",
        ),
        (
            ["--source", "{kind: text}"],
            "--source.path: expected a path, got nothing; add --source.path",
        ),
        (
            ["--source.kind=python_topics"],
            "--directory: expected the records directory to write, got nothing; add --directory",
        ),
        (
            ["--source.kind=python_topics", "--vocabulary", "4"],
            "--vocabulary=4: expected an integer of at least 5, got 4; the default is 256",
        ),
        (
            ["--source.kind=python_topics", "--splits", "{test: 1}"],
            "--splits.test: expected a number of at least 0 and below 1, got 1; the default is 0.1",
        ),
        (
            ["--source.kind=python_topics", "--workers", "0"],
            "--workers=0: expected a positive integer, got 0; the default is 1",
        ),
        (
            ["--source.kind=python_topics", "--source.begin", "a"],
            "--source.begin=a: expected a key of source with kind: python_topics (kind, path), got "
            "begin; remove it, since only another kind has it",
        ),
        (
            ["--source.kind=text", "--source.path=a", "--source.begin=("],
            "--source.begin=(: expected a regular expression, got '(' (missing ), unterminated "
            "subpattern at position 0); write e.g. '^ = [^=]+ = $'",
        ),
        (
            ["--source.kind=text", "--source.path=a", "--source.begin", "# Chapter"],
            "--source.begin=# Chapter: expected a value, got a comment of YAML (# Chapter); put "
            "the value in quotes: '\"…\"'",
        ),
        (
            ["--source.kind=python_topics", "--vocabluary", "9"],
            "--vocabluary=9: expected a key (source, directory, splits, symbols, vocabulary, "
            "tokenizer, workers, records_per_shard, max_bad_fraction), got vocabluary; did you "
            "mean vocabulary?",
        ),
    ],
)
def test_wrong_flags_are_reported_by_their_name(arguments, message, capsys):
    assert text_stream.main(arguments) == 2
    assert capsys.readouterr().err == f"rnnpipe.pipelines.text_stream: {message}\n"


def test_all_wrong_flags_are_reported_at_once(capsys):
    assert text_stream.main(["--source.kind=text", "--vocabulary=a", "--workers=b"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[-2] for line in lines] == [
        "--source.path",
        "--vocabulary=a",
        "--workers=b",
    ]


def fail_with(error, monkeypatch):
    def fail(options, beam_args):
        raise error

    monkeypatch.setattr(command, "_build", fail)
    arguments = ["--source.kind=python_topics", "--directory=records"]
    return run(PROGRAM, None, StreamData, arguments)


def test_an_unreadable_file_is_named(monkeypatch, capsys):
    error = FileNotFoundError(2, "No such file or directory", "raw.txt")
    assert fail_with(error, monkeypatch) == 2
    assert (
        capsys.readouterr().err == "rnnpipe.pipelines.numbers: raw.txt: No such file or directory\n"
    )


def test_errors_without_a_file_are_raised(monkeypatch):
    with pytest.raises(OSError, match="no file"):
        fail_with(OSError("no file has to do with it"), monkeypatch)


def test_a_keyboard_interrupt_ends_the_command(monkeypatch, capsys):
    assert fail_with(KeyboardInterrupt(), monkeypatch) == 130
    assert (
        capsys.readouterr().err
        == "rnnpipe.pipelines.numbers: interrupted; run the same command again\n"
    )


def test_options_of_beam_are_checked_before_raw_data(tmp_path, capsys):
    arguments = ["--directory", str(tmp_path / "records"), "--source.kind=text"]
    arguments += ["--source.path=no/such", "--", "--flink_mastr=localhost:8081"]
    assert text_stream.main(arguments) == 2
    assert capsys.readouterr().err == (
        "rnnpipe.pipelines.text_stream: options after `--`: expected options that Beam and its"
        " runner know, got --flink_mastr; did you mean --flink_master?\n"
    )


def test_no_setting_of_data_is_one_of_the_build():
    data = set(Data.__dataclass_fields__)
    assert not data & set(BuildOptions.__dataclass_fields__)
