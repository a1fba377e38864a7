import gzip
import uuid

import pytest

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.text.encodings import check_encoding
from rnnpipe.sources.text.files import check_text_file
from rnnpipe.sources.text.lines import MAX_BYTES, read_document, read_lines
from rnnpipe.storage.store_path import StorePath


def lines_of(path, encoding="utf-8"):
    return [
        (number, f"{line.step}: {line.reason}" if isinstance(line, BadRecord) else line)
        for number, line in read_lines(path, encoding)
    ]


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"\xef\xbb\xbfone\ntwo\n", ["one", "two"]),
        (b"one\r\ntwo\r\n\r\n", ["one", "two", ""]),
        (b"one\ntwo", ["one", "two"]),
        (b"a\x00b\x0bc\n\xe2\x80\xa8d\n", ["a\x00b\x0bc", "\u2028d"]),
        (b"a\rb\nc\n", ["a\rb", "c"]),
        (b"\n\n", ["", ""]),
        (b"one\n\xef\xbb\xbftwo \xef\xbb\xbf2\n", ["one", "two \ufeff2"]),
    ],
)
def test_only_line_feeds_end_lines(tmp_path, raw, lines):
    for name, content in (("plain", raw), ("zipped", gzip.compress(raw))):
        path = tmp_path / name
        path.write_bytes(content)
        assert lines_of(path) == list(enumerate(lines, start=1))
        assert check_text_file(path, "utf-8") == len(lines)


def test_undecodable_lines_are_reported_and_the_others_keep_their_numbers(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"caf\xe9\nfine\n" + b"x" * (3 * MAX_BYTES) + b"\nlast\n")
    assert lines_of(path) == [
        (1, "decode text: byte 0xe9 at 3 is no utf-8"),
        (2, "fine"),
        (3, f"read text: longer than {MAX_BYTES:,} bytes"),
        (4, "last"),
    ]
    assert lines_of(path, "iso-8859-1")[0] == (1, "café")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_longest_line_that_is_read(tmp_path, end):
    path = tmp_path / "text"
    path.write_bytes(b"x" * MAX_BYTES + end + (b"y" if end else b""))
    assert lines_of(path)[0] == (1, "x" * MAX_BYTES)
    assert lines_of(path)[1:] == ([(2, "y")] if end else [])


@pytest.mark.parametrize(
    ("raw", "got"),
    [
        (b"", "expected lines of text, got an empty file"),
        ("text".encode("utf-16"), "expected a text file, got UTF-16; convert it to UTF-8"),
        ("text".encode("utf-16-le"), "expected a text file, got UTF-16; convert it to UTF-8"),
        (gzip.compress(b"some text" * 99, mtime=0)[:-20], "a damaged gzip file"),
        (b"\x1f\x8bno gzip", "a damaged gzip file"),
        (None, "a file that cannot be read (No such file or directory)"),
    ],
)
def test_binary_files_are_reported(tmp_path, raw, got):
    path = tmp_path / "text"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(UserError) as fault:
        check_text_file(path, "utf-8")
    assert str(fault.value).startswith(f"{path}: ")
    assert got in str(fault.value)


@pytest.mark.parametrize("name", ["utf-16", "no-such", "", "rot13"])
def test_encodings_that_do_not_spell_line_ends_are_refused(name):
    with pytest.raises(UserError, match=r"^encoding: expected an encoding such as"):
        check_encoding(name)
    assert check_encoding("cp1252") == "cp1252"
    assert check_encoding("utf-8-sig") == "utf-8-sig"


@pytest.mark.parametrize(
    "encoding",
    ["gb18030", "gbk", "shift_jis", "euc_jp", "big5", "iso2022_jp", "iso2022_kr", "hz", "euc_kr"],
)
def test_lines_of_encodings_of_several_bytes(tmp_path, encoding):
    lines = ["一二", "", "abc 三", "人人"]
    path = tmp_path / "text"
    path.write_bytes("\n".join(lines).encode(encoding))
    assert lines_of(path, encoding) == list(enumerate(lines, start=1))
    assert read_document(path, encoding) == "\n".join(lines)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "gb18030"])
def test_a_file_with_a_utf_8_mark_is_refused_in_other_encodings(tmp_path, encoding):
    path = tmp_path / "text"
    path.write_bytes("\ufeffcafé\n".encode())
    assert check_text_file(path, "utf-8") == check_text_file(path, "utf-8-sig") == 1
    with pytest.raises(UserError, match=f"text in {encoding}, got the byte order mark of UTF-8"):
        check_text_file(path, encoding)
    with pytest.raises(BadRecord, match=f"it is UTF-8, no {encoding}"):
        read_document(path, encoding)
    assert read_document(path, "utf-8-sig") == read_document(path, "utf-8") == "café\n"


def test_documents_are_read_or_refused(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    assert read_document(path, "utf-8") == "one\r\ntwo"
    for raw, reason in (
        (b"\xff", "byte 0xff at 0 is no utf-8"),
        (b"x" * (MAX_BYTES + 1), "longer than"),
        (gzip.compress(b"text")[:-9], "a damaged gzip file"),
    ):
        path.write_bytes(raw)
        with pytest.raises(BadRecord, match=reason):
            read_document(path, "utf-8")
    with pytest.raises(BadRecord, match="cannot be read"):
        read_document(tmp_path / "missing", "utf-8")
    for encoding in ("utf-16-le", "utf-16-be"):
        for raw in ("\ufeffдом".encode(encoding), "text".encode(encoding)):
            path.write_bytes(gzip.compress(raw) if encoding == "utf-16-be" else raw)
            with pytest.raises(BadRecord, match="it is UTF-16, or zeros: no iso-8859-1"):
                read_document(path, "iso-8859-1")


def test_a_refusal_of_the_store_is_no_dead_letter(monkeypatch):
    path = StorePath(f"memory://{uuid.uuid4().hex}/letter.txt")
    path.write_text("one")
    assert read_document(path, "utf-8") == "one"
    with pytest.raises(BadRecord, match="cannot be read"):
        read_document(path.with_name("missing.txt"), "utf-8")

    def refuse(store, key, start=None, end=None):
        raise PermissionError("no key")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.cat_file", refuse)
    with pytest.raises(
        UserError, match="an object store that gives access, got PermissionError: no key"
    ):
        read_document(path, "utf-8")


def test_odd_files_are_read_or_reported(shared_data):
    folder = shared_data / "bad_inputs"
    read = {path.stem: lines_of(path) for path in (folder / "derived").glob("*.txt")}
    assert read["bom"] == [(1, "a gripping , funny film .")]
    assert read["crlf"][-1] == (3, "")
    assert read["empty"] == []
    assert read["no_final_newline"] == [(1, "one"), (2, "two"), (3, "three")]
    assert len(read["nul_and_ctrl"]) == 2
    assert len(read["long_line"]) == 1
    latin = folder / "text" / "rt-polarity.neg.latin1.txt"
    assert any("is no utf-8" in line for _, line in lines_of(latin))
    assert not any("is no iso" in line for _, line in lines_of(latin, "iso-8859-1"))
