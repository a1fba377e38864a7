import json

import pytest

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.rows import read_rows
from rnnpipe.sources.text.table import Table

CLASSES = {"text": "text", "label": "label"}


def ignore(done: int, total: int) -> None: ...


def rows_of(path, form, columns=None, encoding="utf-8"):
    return [
        (number, row.reason if isinstance(row, BadRecord) else row)
        for number, row in read_rows(path, form, encoding, columns)
    ]


def test_csv_has_quotes_commas_and_line_breaks_in_fields(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbftext,label\r\n"a, ""b""\r\nc",1\r\nd,2')
    assert rows_of(path, "csv") == [
        (3, {"text": 'a, "b"\nc', "label": "1"}),
        (4, {"text": "d", "label": "2"}),
    ]


def test_ragged_and_empty_rows_are_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,1,x\nb\n\nc,3\n")
    told = [
        (2, "3 fields where 2 columns are named"),
        (3, "1 fields where 2 columns are named"),
        (4, "the line is empty"),
        (5, {"text": "c", "label": "3"}),
    ]
    assert rows_of(path, "csv") == told
    path.write_text(path.read_text().replace(",", "\t"))
    assert rows_of(path, "tsv") == told


def test_every_line_that_an_open_quote_swallows_is_a_fault(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text,label\n"a,1\nb,2\nc,3\n')
    told = rows_of(path, "csv")
    assert [number for number, _ in told] == [2, 3, 4]
    assert all(reason.startswith("no CSV, from line 2 on (") for _, reason in told)


def test_a_stray_quote_costs_only_the_lines_it_spans(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text,label\n"a,1\n"b,2\nc,3\n')
    assert [number for number, row in rows_of(path, "csv") if isinstance(row, str)] == [2, 3]
    assert rows_of(path, "csv")[-1] == (4, {"text": "c", "label": "3"})


def test_a_row_with_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'text,label\n"caf\xe9",1\n"x\n\xff",2\nd,3\n')
    told = rows_of(path, "csv")
    assert told[0] == (2, "byte 0xe9 at 4 is no utf-8")
    assert all(isinstance(row, str) for _, row in told[1:])  # the quote was closed in line 4
    assert rows_of(path, "csv", encoding="iso-8859-1")[0][1]["text"] == "café"


def test_tsv_knows_no_quotes(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('text\tlabel\n"a\t1\n')
    assert rows_of(path, "tsv") == [(2, {"text": '"a', "label": "1"})]


def test_jsonl(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": 1}\n[1]\n{"text"\n\n' + "[" * 10_000 + "\n")
    told = rows_of(path, "jsonl")
    assert told[0] == (1, {"text": "a", "label": 1})
    assert told[1] == (2, "not a JSON object")
    assert all(reason.startswith("no JSON (") for _, reason in told[2:])
    assert len(told) == 5


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_a_table_of_classes(tmp_path, suffix):
    rows = [("good", "pos", "x"), ("bad", "neg", "y")]
    if suffix == "jsonl":
        lines = [json.dumps({"review": t, "stars": s, "id": i}) for t, s, i in rows]
    else:
        separator = "," if suffix == "csv" else "\t"
        lines = [separator.join(row) for row in [("review", "stars", "id"), *rows]]
    (tmp_path / f"train.{suffix}").write_text("\n".join(lines))
    source = Table(tmp_path, {"text": "review", "label": "stars"})
    source.prepare(ignore)
    [partition] = source.partitions()
    assert [r.fields for r in source.read(partition)] == [
        {"text": "good", "label": "pos"},
        {"text": "bad", "label": "neg"},
    ]


def test_a_table_of_pairs_without_header(tmp_path):
    (tmp_path / "pairs.txt").write_text("1\tja\tyes\n2\tnein\t\n")
    source = Table(
        tmp_path,
        {"source": "de", "target": "en"},
        files={"train": "pairs.txt"},
        format="tsv",
        columns=["id", "de", "en"],
    )
    source.prepare(ignore)
    first, second = source.read(source.partitions()[0])
    assert isinstance(first, Reference)
    assert first.fields == {"source": "ja", "target": "yes"}
    assert second == DeadLetter("pairs.txt:2", "pairs.txt", "read text", "the target text is empty")


def test_columns_that_are_not_read_may_share_a_name(tmp_path):
    (tmp_path / "train.csv").write_text("id,text,id,label\n1,a,2,x\n")
    source = Table(tmp_path, CLASSES)
    source.prepare(ignore)
    [read] = source.read(source.partitions()[0])
    assert read.fields == {"text": "a", "label": "x"}


def test_tables_that_are_not_read_are_told(tmp_path):
    for name in ("train.csv", "test.jsonl", "more.csv", "notes.txt"):
        (tmp_path / name).write_text("text,label\na,1\n")
    told = "data.source: more.csv is not read; name one file for each split in data.source.files"
    assert Table(tmp_path, CLASSES).notices == [told]
    assert Table(tmp_path, CLASSES, files={"train": "train.csv"}).notices == []


def test_an_object_without_the_field_is_a_dead_letter(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"text": "a", "label": 0}\n{"text": "b"}\n')
    source = Table(tmp_path, CLASSES)
    source.prepare(ignore)
    _, letter = source.read(source.partitions()[0])
    assert (letter.step, letter.reason) == ("read label", "not the name of a class: None")


@pytest.mark.parametrize(
    ("files", "options", "told"),
    [
        ({"train.csv": "text,stars\na,1\n"}, {}, "expected a column called label, got text, stars"),
        ({"train.jsonl": "[1]\n"}, {}, "expected a column called text, got no header"),
        ({"train.csv": ""}, {}, "expected lines of text, got an empty file"),
        (
            {"train.csv": "text,label,text\na,1,b\n"},
            {},
            "expected one column called text, got 2 (text, label, text); give each a name of its",
        ),
        (
            {"train.tsv": "a\t1\tb\n"},
            {"columns": ["text", "label", "label"]},
            "expected one column called label, got 2 (text, label, label)",
        ),
        ({"notes.md": "a"}, {}, "expected .csv, .tsv or .jsonl files, one of them for training"),
        (
            {"train.dat": "a"},
            {"files": {"train": "train.dat"}},
            "expected a file called .csv, .tsv or .jsonl, got train.dat; "
            "say which it is as data.source.format",
        ),
    ],
)
def test_mistakes(tmp_path, files, options, told):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError) as fault:
        Table(tmp_path, CLASSES, **options).prepare(ignore)
    assert told in str(fault.value)
