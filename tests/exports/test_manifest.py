"""The manifest of an export that something else has written."""

import json

import pytest

from rnnpipe.errors import UserError
from rnnpipe.exports.function import Description
from rnnpipe.exports.manifest import MANIFEST, Manifest, hash_files, read_manifest


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "call.onnx").write_bytes(b"graph")
    (tmp_path / "secret").write_bytes(b"secret")
    call = Description(
        "call.onnx", {"tokens": ("int32", [None, 3])}, ["logits"], padding={"a": (0, 1)}
    )
    Manifest("onnx", "text_classification", {"call": call}, {"rows": 8}, hash_files(folder)).write(
        folder
    )
    return folder


def test_what_was_written_is_read(export):
    manifest = read_manifest(export)
    call = manifest.functions["call"]
    assert call.inputs == {"tokens": ("int32", [None, 3])}
    assert call.padding == {"a": (0, 1)}
    assert not call.has_one_row
    assert manifest.files == hash_files(export)


@pytest.mark.parametrize(
    "change",
    [
        {"files": []},
        {"files": {"../secret": "0"}},
        {"files": {"/etc/passwd": "0"}},
        {"functions": {"call": {"file": "../secret", "inputs": {}, "outputs": []}}},
        {"functions": {"call": {"file": "call.onnx", "inputs": [], "outputs": []}}},
        {"functions": {"call": {"file": "call.onnx", "inputs": {"a": ["int32"]}, "outputs": []}}},
        {
            "functions": {
                "call": {"file": "call.onnx", "inputs": {"a": ["int32", []]}, "outputs": []}
            }
        },
        {"functions": 5},
        {"format": ["onnx"]},
        {"rnnpipe": 5},
        {"later": 1},
    ],
    ids=str,
)
def test_something_else_is_refused(change, export):
    content = json.loads((export / MANIFEST).read_text())
    (export / MANIFEST).write_text(json.dumps({**content, **change}))
    with pytest.raises(UserError, match="the file of an export, got one that cannot be read"):
        read_manifest(export)


@pytest.mark.parametrize("version", ["", "1", "x", "9.9.9"])
def test_another_version_is_refused(version, export):
    content = json.loads((export / MANIFEST).read_text())
    (export / MANIFEST).write_text(json.dumps({**content, "rnnpipe": version}))
    with pytest.raises(
        UserError, match=f"expected an export of rnnpipe 0.1, got one of {version};"
    ):
        read_manifest(export)


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, "null", '{"a": 1, "a": 1}', "\udcff"])
def test_what_is_no_json_is_refused(text, export):
    (export / MANIFEST).write_text(text, errors="surrogateescape")
    with pytest.raises(UserError, match="the file of an export, got one that cannot be read"):
        read_manifest(export)
