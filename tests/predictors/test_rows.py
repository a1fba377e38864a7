import gzip
import os

import pytest

from rnnpipe.errors import UserError
from rnnpipe.predictors.rows import RowReader
from tests.fuzz.limits import limited
from tests.predictors.conftest import IMAGE, INPUTS


def read(place, fixed=None, inputs=INPUTS, **options):
    """The rows of a place: where they come from, and their inputs or errors."""
    source = RowReader("turn", inputs, fixed or {}, **options).open(str(place))
    return source, [(row.where, row.inputs) for row in source.rows]


def texts(rows):
    return [inputs["text"] if isinstance(inputs, dict) else inputs for _, inputs in rows]


@pytest.mark.parametrize("packed", [False, True])
def test_each_line_of_a_text_is_an_input(tmp_path, packed):
    path = tmp_path / "texts"
    raw = "one\r\n\n two\u2028 \x0cthree\n".encode()
    path.write_bytes(gzip.compress(raw) if packed else raw)
    source, rows = read(path, {"n-best": "2"})
    assert rows == [
        (f"{path}, line 1", {"text": "one", "n-best": "2"}),
        (f"{path}, line 2", None),
        (f"{path}, line 3", {"text": " two\u2028 \x0cthree", "n-best": "2"}),
    ]
    assert (source.columns, source.total) == (["text"], 3)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n\n", ["a", None]),
        (b"\xef\xbb\xbfa\n", ["a"]),
        (b"a\rb\nc\n", ["a\rb", "c"]),
    ],
)
def test_only_line_feeds_end_lines(tmp_path, raw, expected):
    (tmp_path / "a.txt").write_bytes(raw)
    assert texts(read(tmp_path / "a.txt")[1]) == expected


def test_lines_that_are_no_text_are_errors_and_the_others_are_read(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes(b"good\n\xff\xfe\n" + b"x" * (1 << 21) + b"\nlast\n")
    _, rows = read(path)
    good, bad, long, last = texts(rows)
    assert (good, last) == ("good", "last")
    assert f"{path}, line 2: expected a row that can be read, got byte 0xff" in str(bad)
    assert f"{path}, line 3: expected a row that can be read, got longer than" in str(long)
    path.write_bytes("caf\xe9\n".encode("latin-1"))
    assert texts(read(path, encoding="latin-1")[1]) == ["café"]


TABLES = {
    "csv": 'id,text,n_best\n1,"one, two",2\n2,three,\n3,"open\n',
    "tsv": "id\ttext\tn_best\n1\tone, two\t2\n2\tthree\t\n3\topen\n",
    "jsonl": '{"id": 1, "text": "one, two", "n_best": 2}\n{"id": 2, "text": "three"}\n\n{"id":\n',
}


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("by", ["name", "option"])
def test_tables_have_a_column_for_each_input(tmp_path, form, by):
    path = tmp_path / (f"rows.{form}" if by == "name" else "rows")
    path.write_text(TABLES[form])
    source, rows = read(path, form=None if by == "name" else form, defaults={"n-best": "1"})
    (_, one), (_, three), (where, bad) = rows
    assert (one["text"], str(one["n-best"])) == ("one, two", "2")
    assert three == {"text": "three", "n-best": "1"}
    assert "expected a row that can be read" in str(bad)
    assert where.startswith(f"{path}, line ")
    assert list(source.columns) == ["id", "text", "n_best"]
    assert source.notices == [f"{path}: columns that are no inputs of turn: id"]


def test_a_long_name_of_a_column_is_cut_in_the_notice(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(f"text,{'9' * 20_000}\na,b\n")
    source, _ = read(path)
    assert source.notices == [f"{path}: columns that are no inputs of turn: {'9' * 59}…"]


def test_json_spells_phrases_as_lists_and_halves_of_characters_are_errors(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": ["a", "b"]}\n{"text": "\\ud83d"}\n{"text": null}\n')
    _, ((_, one), (_, half), (_, none)) = read(path)
    assert one["text"] == ("a", "b")
    assert "halves of characters" in str(half)
    assert none["text"] is None


@pytest.mark.parametrize(
    ("header", "fixed", "message"),
    [
        ("id,question", {}, "expected a column called text, got id, question; name it"),
        ("text,n_best", {"n-best": "2"}, "expected n-best once, got a column and an option"),
        ("text,text", {}, "expected text once, got columns text, text"),
        ("text,n_best,n-best", {}, "expected n-best once"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path, header, fixed, message):
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\n1,2\n")
    with pytest.raises(UserError) as caught:
        read(path, fixed)
    assert message in str(caught.value)


def test_files_of_a_folder_are_rows(tmp_path):
    for name in ("b.PNG", "sub/a.jpg", "notes.txt", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    bad = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    with open(bad, "wb"):
        pass
    question = INPUTS[0]
    source, rows = read(tmp_path, {"text": "what?"}, (IMAGE, question))
    assert source.total == 3
    assert source.notices == [f"{tmp_path}: 1 other files are not read"]
    assert rows[0] == (f"{tmp_path}/b.PNG", {"image": f"{tmp_path}/b.PNG", "text": "what?"})
    assert "expected a name in UTF-8" in str(rows[1][1])
    assert rows[2][1]["image"] == f"{tmp_path}/sub/a.jpg"


@pytest.mark.parametrize(
    ("place", "fixed", "message"),
    [
        ("none.txt", {}, "expected a file or a folder, got nothing there"),
        ("a.txt", {"text": "b"}, "expected an input that each line is, got all inputs of turn as"),
        ("empty", {}, "expected files whose names end in .png, .jpg, …, got none"),
        (
            "a.parquet",
            {},
            "expected a text or a table (.csv, .tsv or .jsonl), got Parquet; add --w",
        ),
        ("wide.txt", {}, "expected a text file, got UTF-16"),
    ],
)
def test_unreadable_inputs_are_refused(tmp_path, place, fixed, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a\n")
    (tmp_path / "a.parquet").touch()
    (tmp_path / "wide.txt").write_text("a\n", encoding="utf-16")
    (tmp_path / "empty").mkdir()
    inputs = (IMAGE,) if place == "empty" else INPUTS
    with pytest.raises(UserError) as caught:
        read(place, fixed, inputs)
    assert message in str(caught.value)


def test_lines_are_no_rows_of_several_inputs(tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    message = "got a text, and image, text without an option; name columns image, text"
    with pytest.raises(UserError, match=message):
        read(tmp_path / "a.txt", inputs=(IMAGE, INPUTS[0]))
    with pytest.raises(UserError, match="where files are the only input without an option, got im"):
        read(tmp_path, inputs=(IMAGE, INPUTS[0]))


def test_a_wrong_encoding_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    with pytest.raises(UserError, match="encoding: expected an encoding such as utf-8"):
        read(tmp_path / "a.txt", encoding="utf-17")
    (tmp_path / "a.txt").write_text("a\n", encoding="utf-8-sig")
    with pytest.raises(UserError, match="set --encoding to utf-8"):
        read(tmp_path / "a.txt", encoding="latin-1")


def test_a_named_pipe_is_read_as_it_comes(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    os.write(writer, b"one\ntwo\nthr")
    source = RowReader("turn", INPUTS, {}).open(str(path))
    rows = iter(source.rows)
    assert source.is_ready is not None
    assert next(rows).inputs == {"text": "one"}
    assert source.is_ready()
    assert next(rows).inputs == {"text": "two"}
    assert not source.is_ready()
    os.write(writer, b"ee\n")
    assert source.is_ready()
    assert next(rows).inputs == {"text": "three"}
    os.close(writer)
    assert source.is_ready()
    assert list(rows) == []


def test_a_hundred_thousand_columns_are_read_at_once_and_named_in_a_few_words(tmp_path):
    columns = [f"c{number}" for number in range(120_000)]
    (tmp_path / "a.csv").write_text(",".join(["text", *columns]) + "\n")
    with limited(tmp_path):
        source, rows = read(tmp_path / "a.csv")
    assert rows == []
    assert len(source.notices[0]) < 500
