import gzip
from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.folder import (
    absolute,
    check_folder,
    hash_code,
    read_json,
)


def error_of(path: Path) -> str:
    with pytest.raises(UserError) as fault:
        read_json(path)
    return str(fault.value).removeprefix(str(path))


def test_paths_become_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    assert absolute("data") == tmp_path / "data"
    assert absolute("~/data") == Path("/home/someone/data")


def test_the_hash_of_code_is_that_of_all_its_folders(tmp_path):
    for name in ("a", "b", "changed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code.py").write_text(f"NAME = {name!r}\n")
    a, b, changed = (tmp_path / name for name in ("a", "b", "changed"))
    assert hash_code(a, b) == hash_code(a, b)
    assert len({hash_code(a), hash_code(b), hash_code(a, b), hash_code(a, changed)}) == 4


def test_check_folder_refuses_what_is_no_folder(tmp_path):
    check_folder(tmp_path, "scenes", "draw them")
    (tmp_path / "file").touch()
    for name, got in (("file", "a file"), ("missing", "nothing there")):
        with pytest.raises(UserError) as fault:
            check_folder(tmp_path / name, "scenes", "draw them")
        assert str(fault.value) == (
            f"{tmp_path / name}: expected a folder with scenes, got {got}; draw them"
        )


def test_json_is_read_plain_and_gzipped_whatever_its_name(tmp_path):
    content, text = {"a": ["é", 1]}, '{"a": ["é", 1]}'
    (tmp_path / "plain.json.gz").write_text(text, encoding="utf-8")
    (tmp_path / "packed.json").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "bom.json").write_text(text, encoding="utf-8-sig")
    for name in ("plain.json.gz", "packed.json", "bom.json"):
        assert read_json(tmp_path / name) == content
    assert read_json(tmp_path / "packed.json", len) == 1


def test_malformed_json_is_reported(tmp_path):
    (tmp_path / "page").write_text("<html>")
    assert error_of(tmp_path / "page") == (
        ": expected JSON, got something else (Expecting value: line 1 column 1 (char 0)); "
        "download or unpack it again"
    )
    (tmp_path / "latin").write_bytes(b'["caf\xe9"]')
    assert error_of(tmp_path / "latin") == (
        ": expected JSON, got something else (byte 5 is no text); download or unpack it again"
    )
    (tmp_path / "cut").write_bytes(gzip.compress(b"[1, 2, 3]")[:-9])
    assert error_of(tmp_path / "cut") == (
        ": expected JSON, got a damaged gzip file (Compressed file ended before the end-of-stream "
        "marker was reached); download or unpack it again"
    )
    damaged = bytearray(gzip.compress(b"[1, 2, 3]"))
    damaged[-5] ^= 255
    (tmp_path / "damaged").write_bytes(damaged)
    assert ": expected JSON, got a damaged gzip file (CRC check failed" in error_of(
        tmp_path / "damaged"
    )
    assert error_of(tmp_path / "missing") == (
        ": expected JSON, got a file that cannot be read (No such file or directory); "
        "download or unpack it again"
    )


def test_a_repeated_key_is_refused_in_json(tmp_path):
    (tmp_path / "twice.json").write_text('{"images": [{"id": 1, "file_name": "a", "id": 2}]}')
    assert error_of(tmp_path / "twice.json") == (
        ": expected each key of an object once, got the key 'id' twice; correct it"
    )


def test_a_number_of_thousands_of_digits_is_refused_in_json(tmp_path):
    (tmp_path / "long.json").write_text("9" * 5000)
    assert ": expected JSON, got something else (Exceeds the limit" in error_of(
        tmp_path / "long.json"
    )
