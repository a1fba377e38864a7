import codecs
import json

import pytest

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.lines import MAX_BYTES
from rnnpipe.sources.text.rows import read_rows
from rnnpipe.sources.text.table import ClassTable, PairTable
from tests.sources.reading import ignore_progress


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


def test_ragged_and_empty_rows_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,1,x\nb\n,\nc,3\n")
    numbered = [
        (2, "3 fields where 2 columns are named"),
        (3, "1 fields where 2 columns are named"),
        (4, "the line is empty"),
        (5, {"text": "c", "label": "3"}),
    ]
    assert rows_of(path, "csv") == numbered
    path.write_text(path.read_text().replace(",", "\t"))
    assert rows_of(path, "tsv") == numbered


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_empty_lines_are_ignored(tmp_path, form, end):
    path = tmp_path / "a"
    lines = ["text,label", "good,pos", "bad,neg"]
    if form == "tsv":
        lines = [line.replace(",", "\t") for line in lines]
    if form == "jsonl":
        lines = [f'{{"text": "{t}", "label": "{n}"}}' for t, n in (("good", "pos"), ("bad", "neg"))]
    rows = [{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}]
    first = len(lines) - 1
    path.write_text(end.join([*lines, "", ""]), newline="")
    assert rows_of(path, form) == [(first, rows[0]), (first + 1, rows[1])]
    path.write_text((2 * end).join(["", *lines, ""]), newline="")
    assert rows_of(path, form) == [(2 * first + 1, rows[0]), (2 * first + 3, rows[1])]


def test_every_line_of_an_open_quote_is_an_error(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text,label\n"a,1\nb,2\nc,3\n')
    numbered = rows_of(path, "csv")
    assert [number for number, _ in numbered] == [2, 3, 4]
    assert all(reason.startswith("no CSV, from line 2 on (") for _, reason in numbered)


def test_a_stray_quote_costs_only_the_lines_it_spans(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text,label\n"a,1\n"b,2\nc,3\n')
    assert [number for number, row in rows_of(path, "csv") if isinstance(row, str)] == [2, 3]
    assert rows_of(path, "csv")[-1] == (4, {"text": "c", "label": "3"})


def test_a_row_with_undecodable_bytes_is_a_dead_letter(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'text,label\n"caf\xe9",1\n"x\n\xff",2\nd,3\n')
    assert rows_of(path, "csv") == [
        (2, "byte 0xe9 at 4 is no utf-8"),
        (4, "byte 0xff at 0 is no utf-8"),
        (5, {"text": "d", "label": "3"}),
    ]
    assert rows_of(path, "csv", encoding="iso-8859-1")[0][1]["text"] == "café"


def test_tsv_has_no_quoting(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('text\tlabel\n"a\t1\n')
    assert rows_of(path, "tsv") == [(2, {"text": '"a', "label": "1"})]


def test_jsonl_is_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text": "a", "label": 1}\n[1]\n{"text": "a", "text": "b"}\n{"text"\n'
        + "[" * 10_000
        + "\n"
    )
    numbered = rows_of(path, "jsonl")
    assert numbered[0] == (1, {"text": "a", "label": 1})
    assert numbered[1] == (2, "not a JSON object")
    assert numbered[2] == (3, "the key 'text' twice")
    assert [number for number, _ in numbered[3:]] == [4, 5]
    assert all(reason.startswith("no JSON (") for _, reason in numbered[3:])


LONG = "\n".join(f'they met again, and spoke of ""many"" things, {n:05d}' for n in range(60_000))


@pytest.mark.parametrize(
    ("rows", "read"),
    [
        (  # a document of many lines, with commas in each
            [f'"{LONG}",a', "good,b"],
            [(60_001, "longer"), (60_002, "good")],
        ),
        (  # it ends, and another begins on the same line
            [f'"{LONG}","{LONG}"', "good,b"],
            [(120_000, "longer"), (120_001, "good")],
        ),
        (  # the field before it ends on another line
            [f'"a\nb","{LONG}"', "good,b"],
            [(60_002, "longer"), (60_003, "good")],
        ),
        (  # one line is longer than any may be, and opens or closes the quote
            [f'"{"x" * (MAX_BYTES + 1)}\n,y,",a', f'"x\n{"x," * MAX_BYTES}",a', "good,b"],
            [(3, "longer"), (5, "longer"), (6, "good")],
        ),
        (  # just one line, which has all of it
            [f'"{"x, " * MAX_BYTES}",a', "good,b"],
            [(2, "longer"), (3, "good")],
        ),
    ],
)
def test_a_field_that_is_too_large_is_one_error_and_the_rest_is_read(tmp_path, rows, read):
    path = tmp_path / "train.csv"
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    found = [(n, "longer" if "longer" in row else row["text"]) for n, row in rows_of(path, "csv")]
    assert found == read


@pytest.mark.parametrize("end", ["", '\n" x,b\ngood,b'])
def test_a_stray_quote_is_an_error_on_every_line(tmp_path, end):
    path = tmp_path / "train.csv"
    path.write_text(f'text,label\nbad,a\n"{LONG.replace(chr(34), "")}{end}\n')
    first, *numbered = rows_of(path, "csv")
    assert first == (2, {"text": "bad", "label": "a"})
    if end:
        assert numbered.pop() == (60_004, {"text": "good", "label": "b"})
    assert [number for number, _ in numbered] == list(range(3, 60_003 + bool(end)))
    assert all(reason.startswith("no CSV, from line 3 on (") for _, reason in numbered)


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize(
    ("text", "is_read"),
    [("word " * 28_000, True), ("w" * (MAX_BYTES - 100), True), ("w\n" * MAX_BYTES, False)],
)
def test_documents_have_up_to_a_mebibyte_in_every_format(tmp_path, form, text, is_read):
    rows = [("good", "a"), (text, "b"), ("bad", "b")]
    if form == "jsonl":
        lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    elif form == "csv":
        lines = ["text,label", *(f'"{text}",{label}' for text, label in rows)]
    else:
        lines = ["text\tlabel", *(f"{text}\t{label}" for text, label in rows)]
        lines = [line.replace("\n", " ") for line in lines]
    (tmp_path / f"train.{form}").write_text("\n".join(lines))
    source = ClassTable(path=tmp_path)
    source.prepare(ignore_progress)
    good, long, bad = source.read(source.partitions()[0])
    assert (good.fields["text"], bad.fields["text"]) == ("good", "bad")
    if is_read:
        assert long.fields["text"] == text
    else:
        assert (long.step, "longer than 1,048,576 bytes" in long.reason) == ("read text", True) or (
            "a field longer than 1,048,576 bytes, from line 3 on" in long.reason
        )


def test_a_text_of_several_lines_counts_as_a_whole(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text('text,label\n"' + "ä\n" * (MAX_BYTES // 2) + '",a\n')
    source = ClassTable(path=tmp_path)
    (letter,) = source.read(source.partitions()[0])
    assert letter.reason == "the text is longer than 1,048,576 bytes"


def test_a_column_of_later_objects_is_read(tmp_path):
    objects = [{"text": "a"}] * 101 + [{"text": "b", "label": "x"}]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(o) + "\n" for o in objects))
    source = ClassTable(path=tmp_path)
    source.prepare(ignore_progress)
    *letters, last = source.read(source.partitions()[0])
    assert {letter.reason for letter in letters} == {"not the name of a class: None"}
    assert (len(letters), last.fields) == (101, {"text": "b", "label": "x"})
    with pytest.raises(UserError, match="expected a column called stars, got text, label; name"):
        ClassTable(path=tmp_path, label="stars").prepare(ignore_progress)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_byte_order_marks_of_concatenated_files_are_removed(tmp_path, encoding):
    lines = ["label,text\n", "pos,好\n", "neg,bad\n", '\ufeff"pos","nice, too"\n']
    raw = b"".join(line.encode(encoding.removesuffix("-sig")) for line in lines)
    (tmp_path / "train.csv").write_bytes(codecs.BOM_UTF8 * (encoding != "gb18030") + raw)
    source = ClassTable(path=tmp_path, encoding=encoding)
    source.prepare(ignore_progress)
    assert [r.fields for r in source.read(source.partitions()[0])] == [
        {"label": "pos", "text": "好"},
        {"label": "neg", "text": "bad"},
        {"label": "pos", "text": "nice, too"},
    ]


@pytest.mark.parametrize(
    "label",
    ["true", "false", "null", "NaN", "Infinity", "1.0", "[]", '["a"]', "{}", '"\\ud83d"', '""'],
)
def test_a_value_of_json_that_is_no_label_is_a_dead_letter(tmp_path, label):
    (tmp_path / "train.jsonl").write_text(
        f'{{"text": "a", "label": 1}}\n{{"text": "b", "label": {label}}}\n'
    )
    source = ClassTable(path=tmp_path)
    source.prepare(ignore_progress)
    first, letter = source.read(source.partitions()[0])
    assert first.fields["label"] == "1"
    assert (letter.key, letter.source, letter.step) == (
        "train.jsonl:2",
        "train.jsonl",
        "read label",
    )
    letter.reason.encode()


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_a_table_of_classes_is_read(tmp_path, suffix):
    rows = [("good", "pos", "x"), ("bad", "neg", "y")]
    if suffix == "jsonl":
        lines = [json.dumps({"review": t, "stars": s, "id": i}) for t, s, i in rows]
    else:
        separator = "," if suffix == "csv" else "\t"
        lines = [separator.join(row) for row in [("review", "stars", "id"), *rows]]
    (tmp_path / f"train.{suffix}").write_text("\n".join(lines))
    source = ClassTable(path=tmp_path, text="review", label="stars")
    source.prepare(ignore_progress)
    [partition] = source.partitions()
    assert [r.fields for r in source.read(partition)] == [
        {"text": "good", "label": "pos"},
        {"text": "bad", "label": "neg"},
    ]


def test_a_table_of_pairs_is_read_without_header(tmp_path):
    (tmp_path / "pairs.txt").write_text("1\tja\tyes\n2\tnein\t\n")
    source = PairTable(
        path=tmp_path,
        source="de",
        target="en",
        files={"train": "pairs.txt"},
        format="tsv",
        columns=("id", "de", "en"),
    )
    source.prepare(ignore_progress)
    first, second = source.read(source.partitions()[0])
    assert isinstance(first, Reference)
    assert first.fields == {"source": "ja", "target": "yes"}
    assert second == DeadLetter("pairs.txt:2", "pairs.txt", "read text", "the target text is empty")


def test_columns_that_are_not_read_may_share_a_name(tmp_path):
    (tmp_path / "train.csv").write_text("id,text,id,label\n1,a,2,x\n")
    source = ClassTable(path=tmp_path)
    source.prepare(ignore_progress)
    [read] = source.read(source.partitions()[0])
    assert read.fields == {"text": "a", "label": "x"}


def test_unread_tables_are_reported(tmp_path):
    for name in ("train.csv", "test.jsonl", "more.csv", "notes.txt"):
        (tmp_path / name).write_text("text,label\na,1\n")
    message = "data.source: more.csv is not read; name one file for each split in data.source.files"
    assert ClassTable(path=tmp_path).notices == [message]
    assert ClassTable(path=tmp_path, files={"train": "train.csv"}).notices == []


def test_unread_folders_are_reported(tmp_path):
    for name in ("train.csv", "more/test.csv", "records/dataset_info.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text,label\na,1\n")
    message = "data.source: more/ is not read; name one file for each split in data.source.files"
    assert ClassTable(path=tmp_path).notices == [message]


def test_an_object_without_the_field_is_a_dead_letter(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"text": "a", "label": 0}\n{"text": "b"}\n')
    source = ClassTable(path=tmp_path)
    source.prepare(ignore_progress)
    _, letter = source.read(source.partitions()[0])
    assert (letter.step, letter.reason) == ("read label", "not the name of a class: None")


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"train.csv": "text,stars\na,1\n"}, {}, "expected a column called label, got text, stars"),
        (
            {"train.jsonl": "[1]\n"},
            {},
            "expected the names of the columns, got not a JSON",
        ),
        (
            {"train.csv": "text,label\na,1\n", "other.csv": "téxt,label"},
            {"encoding": "ascii", "files": {"train": "other.csv"}},
            "other.csv:1: expected the names of the columns, got byte 0xc3 at 1 is no ascii",
        ),
        (
            {"train.jsonl": '{"téxt": 1}\n'},
            {"encoding": "ascii"},
            "train.jsonl:1: expected the names of the columns, got byte 0xc3 at 3 is no ascii",
        ),
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
def test_mistakes_are_reported(tmp_path, files, options, message):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError) as fault:
        ClassTable(path=tmp_path, **options).prepare(ignore_progress)
    assert message in str(fault.value)
