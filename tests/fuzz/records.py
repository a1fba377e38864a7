"""Readers of finished records, and of what lies beside them."""

import json
import struct
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import strategies as st

from rnnpipe.records import specs
from rnnpipe.records.codec import decode_example, encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.inventory import Inventory
from rnnpipe.records.layout import shard_name
from rnnpipe.records.manifest import MANIFEST, Manifest, NotOurs, StoredFile
from rnnpipe.records.names import read_names
from rnnpipe.records.tfrecord import _masked_crc, read_tfrecord
from rnnpipe.records.verify import verify_records
from rnnpipe.runs.console import make_console
from rnnpipe.runs.inspect import inspect_records
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.storage.json_files import parse_json
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokenizer import Tokenizer, train_tokenizer
from rnnpipe.text.word_vectors import VECTORS_FILE, WordVectors
from tests.fuzz.cases import Reader, mutated, mutated_json, put

_SPEC = specs.TEXT_CLASS
_SHARD = shard_name(_SPEC.name, "train", 0, 1)


def _record(spec: specs.RecordSpec) -> dict[str, Any]:
    """A record of a kind with some value in each field."""
    numbers = {"int64": 3, "int16": 2, "float32": 0.5, "float16": 0.5}
    plain = {**numbers, "text": "ab", "jpeg": b"\xff\xd8"}
    record: dict[str, Any] = {}
    for name, field in spec.fields.items():
        value: Any = plain[field.kind]
        if field.axes:
            value = [value, value]
            for _ in range(field.axes - 1):
                value = [value]
        elif field.nested:
            value = [[value, value], [value]]
        elif field.sequence:
            value = [value, value]
        record[name] = value
    return record


def _decode(case: Any, folder: Path) -> None:
    spec, data = case
    try:
        record = decode_example(spec, data)
    except ValueError:
        return
    if data == _ENCODED[spec.name]:
        assert encode_example(spec, record) == data


def _frame(records: list[bytes]) -> bytes:
    """A TFRecord file whose checksums are right, whatever its records are."""
    parts = []
    for record in records:
        length = struct.pack("<Q", len(record))
        parts += [length, struct.pack("<I", _masked_crc(length))]
        parts += [record, struct.pack("<I", _masked_crc(record))]
    return b"".join(parts)


def _read_tfrecord(case: Any, folder: Path) -> None:
    data, length = case
    if length is not None:  # with a checksum that is right
        header = struct.pack("<Q", length)
        data = header + struct.pack("<I", _masked_crc(header)) + data
    path = put(folder / "a.tfrecord", data)
    assert _frame(list(read_tfrecord(path))) == data


def _read_manifest(case: bytes, folder: Path) -> None:
    put(folder / MANIFEST, case)
    try:
        manifest = Manifest.read(folder)
    except NotOurs:
        return
    assert manifest is not None
    inside = folder.resolve()
    assert all((inside / name).resolve().is_relative_to(inside) for name in manifest.files)
    manifest.write(folder)
    assert Manifest.read(folder) == manifest
    Inventory(folder, manifest.files).find_faults(manifest.files)


_STATS = {
    "kind": _SPEC.name,
    "read": 3,
    "written": 2,
    "dead_letters": {"read text": 1},
    "dead_letter_reasons": {"read text": "it is empty"},
    "dropped": {},
    "notices": ["a notice"],
    "splits": {
        "train": {
            "records": 2,
            "num_bytes": 0,
            "shard_records": [2],
            "rates": {"tokens_unknown": 0.0},
            "histograms": {"tokens": {"2": 2}},
        }
    },
    "training_labels": {"neg": 1},
}
_LETTER = {"key": "a:1", "source": "a", "step": "read text", "reason": "it is empty"}
_WHOLE = {
    "stats.json": _STATS,
    "fingerprint.json": {"fingerprint": "abc", "settings": {}, "sources": {"files": 1}},
    "labels.json": ["neg", "pos"],
    "dead_letters-00000.jsonl": _LETTER,
}


def _read_directory(case: Any, folder: Path) -> None:
    """A directory that something else has written, and sealed as a build does."""
    name, content, record = case
    data = _frame([record, _ENCODED[_SPEC.name]])
    put(folder / _SHARD, data)
    for other, value in _WHOLE.items():
        put(folder / other, json.dumps(value).encode())
    stats = parse_json((folder / "stats.json").read_text())
    stats["splits"]["train"]["num_bytes"] = len(data)
    put(folder / "stats.json", json.dumps(stats).encode())
    if name is not None:
        put(folder / name, content)
    (folder / MANIFEST).unlink(missing_ok=True)
    Manifest.of(folder).write(folder)
    inspect_records(folder, 3, make_console(quiet=True))
    records = RecordsDirectory.open(folder)
    assert all(isinstance(label, str) for label in records.labels)
    assert verify_records(records, decode_jpeg) == 2


def _sealed(name: str) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(name), mutated_json(_WHOLE[name]), st.just(_ENCODED[_SPEC.name]))


def _tokenizer_files() -> dict[str, bytes]:
    tokenizer = train_tokenizer({"red": 3, "blue": 2, "a": 9}, kind="bpe", vocabulary=14)
    with TemporaryDirectory() as folder:
        tokenizer.save(Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _read_tokenizer(case: Any, folder: Path) -> None:
    for name, data in case.items():
        put(folder / name, data)
    tokenizer = Tokenizer.load(folder)
    ids = tokenizer.encode("a red blues \ud800")
    assert all(0 <= number < tokenizer.vocabulary_size for number in ids)
    tokenizer.decode(ids)
    assert len(tokenizer.pieces) == tokenizer.vocabulary_size


def _read_symbols(case: bytes, folder: Path) -> None:
    put(folder / "symbols.json", case)
    symbols = Symbols.load(folder)
    ids = symbols.encode("hello\nyou")
    symbols.decode(ids)
    symbols.save(folder)
    assert Symbols.load(folder).symbols == symbols.symbols


def _vectors_file() -> bytes:
    with TemporaryDirectory() as folder:
        vectors = np.ones((2, 3), "float32")
        WordVectors(np.array([4, 6]), vectors, tokens=8, coverage=0.75).save(Path(folder))
        return (Path(folder) / VECTORS_FILE).read_bytes()


def _read_word_vectors(case: bytes, folder: Path) -> None:
    put(folder / VECTORS_FILE, case)
    vectors = WordVectors.load(folder)
    assert vectors is not None
    assert vectors.vectors.shape == (len(vectors.ids), vectors.size)
    assert vectors.notice


def _read_names(case: bytes, folder: Path) -> None:
    names = read_names(put(folder / "labels.json", case))
    assert all(isinstance(name, str) for name in names)


def _remember(case: bytes, folder: Path) -> None:
    path = put(folder / "a", b"abc")
    inventory = Inventory(folder, {"a": StoredFile.of(path)})
    put(inventory._memory, case)
    assert inventory.find_fault("a") is None


_FILES = _tokenizer_files()
_KINDS = list(specs.SPECS.values())
_ENCODED = {spec.name: encode_example(spec, _record(spec)) for spec in _KINDS}
_MANIFEST = {
    "build": ".",
    "files": {
        name: {"num_bytes": 3, "crc32c": "deadbeef"}
        for name in ("a", "source/tokenizer.json", "train.tfrecord-00000-of-00001")
    },
}
_LENGTHS = st.one_of(st.none(), st.sampled_from((0, 1, 2**31, 2**40, 2**63, 2**64 - 1)))


def _mutated_example(spec: specs.RecordSpec) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(spec), mutated(_ENCODED[spec.name]))


READERS = (
    Reader("records", st.sampled_from(_KINDS).flatmap(_mutated_example), _decode, 250),
    Reader(
        "TFRecord files",
        st.tuples(mutated(_frame([b"abc", b"", b"x" * 40])), _LENGTHS),
        _read_tfrecord,
        200,
    ),
    Reader("manifests", mutated_json(_MANIFEST), _read_manifest, 250),
    Reader(
        "records directories",
        st.one_of(
            *map(_sealed, _WHOLE),
            st.tuples(st.none(), st.none(), mutated(_ENCODED[_SPEC.name])),
        ),
        _read_directory,
        250,
    ),
    Reader("names", mutated_json(["neg", "pos", "café"]), _read_names, 100),
    Reader("lists of verified files", mutated_json({"a": ["x", 1, 2, 3, 4]}), _remember, 100),
    Reader(
        "settings of tokenizers",
        mutated_json(json.loads(_FILES["tokenizer.json"])).map(
            lambda data: {**_FILES, "tokenizer.json": data}
        ),
        _read_tokenizer,
        150,
    ),
    Reader(
        "models of tokenizers",
        mutated(_FILES["tokenizer.model"]).map(lambda data: {**_FILES, "tokenizer.model": data}),
        _read_tokenizer,
        150,
    ),
    Reader("vectors of vocabularies", mutated(_vectors_file()), _read_word_vectors, 100),
    Reader("symbols", mutated_json({"kind": "char", "symbols": [*"helo"]}), _read_symbols, 100),
)
