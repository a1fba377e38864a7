"""Readers of raw texts: tables, lines, documents and streams."""

import gzip
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from rnnpipe.errors import DeadLetter
from rnnpipe.metrics.caption_tokens import tokenize_caption
from rnnpipe.metrics.vqa import normalize_answer
from rnnpipe.sources.labels import label_notices, read_label, read_optional_label
from rnnpipe.sources.source import Source
from rnnpipe.sources.streams.spans import read_span
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.sources.text.label_folders import LabelFolders
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.text.table import ClassTable, PairTable
from rnnpipe.sources.text.trec import Trec
from rnnpipe.sources.text.vector_file import VectorFile
from rnnpipe.text.normalize import Normalizer
from tests.fuzz.cases import ODD, TOKENS, Reader, mutated, put
from tests.fuzz.limits import check_letters
from tests.sources.reading import ignore_progress

ENCODINGS = ("utf-8", "iso-8859-1", "cp1252", "gbk", "shift_jis", "utf-8-sig", "utf-7", "hz")
_ENCODING = st.one_of(st.just("utf-8"), st.sampled_from((*ENCODINGS, "iso2022_jp", "utf-16", "x")))
_BLUE = np.float32([0.5, -1, 0.25])
_TABLE = (
    'text,label\n"A ""fine"", film",pos\nToo long.,neg\n"two\nlines",pos\n\nCafé.,neg\n'.encode()
)
_TSV = "text\tlabel\nA fine film\tpos\nToo long.\tneg\n\nCafé.\tneg\n".encode()
_ROWS = [{"text": "A fine film", "label": "pos"}, {"text": "Café \u2028.", "label": 1, "id": [1]}]
_JSONL = "".join(f"{json.dumps(row)}\n" for row in _ROWS).encode()
_PAIRS = b"id,de,en\n1,ein Hund,a dog\n2,eine Katze,a cat\n"
_TREC = b"NUM:date When was it ?\nHUM:ind Who is it ?\nLOC:other Where is Qu\xe9bec ?\n"
_LINES = "ein Hund\neine Katze\r\nLöwe\n".encode()
_VECTORS = (
    b"red 1 2 3\nblue 0.5 -1 0.25\n",
    b"2 3\nred 1 2 3\nblue 0.5 -1 0.25\n",
    b"2 3\nred " + np.float32([1, 2, 3]).tobytes() + b"\nblue " + _BLUE.tobytes() + b"\n",
)
_STREAM = b" = A title = \n\nTo be or not to be,\nthat is the question.\n = B = \n" + b"word " * 900


def _put(folder: Path, name: str, data: bytes, packing: str) -> None:
    """Writes a file, packed or half of it packed; nothing else of that name is left."""
    data = data if packing == "plain" else gzip.compress(data, 1, mtime=0)
    put(folder / name, data[: len(data) // 2] if packing == "half" else data)


PACKINGS = st.sampled_from(("plain",) * 6 + ("gzip", "half"))


def read(source: Source) -> list[Any]:
    """All that a source yields, with its notices."""
    source.prepare(ignore_progress)
    items = [
        item for partition in source.partitions() for item in check_letters(source.read(partition))
    ]
    assert all(isinstance(notice, str) for notice in source.notices)
    assert all(isinstance(split, str) for split in source.split_names)
    list(source.raw_files())
    return items


def _read_files(make: Any, names: tuple[str, ...], case: Any, folder: Path) -> Source:
    *contents, packing, encoding = case
    for name, data in zip(names, contents, strict=True):
        _put(folder, name, data, packing)
    source: Source = make(path=folder, encoding=encoding)
    source.check()
    return source


def _read_table(make: Any, name: str, case: Any, folder: Path) -> None:
    items = read(_read_files(make, (name,), case, folder))
    if name.endswith(".jsonl") and case[1] == "plain":
        assert len(items) == sum(line.strip(b"\r") != b"" for line in case[0].split(b"\n"))
    if name.endswith(".csv") and case[0] in (_TABLE, _PAIRS):
        assert len(items) == case[0].count(b"\n") - (3 if case[0] == _TABLE else 1)


def _read_lines(make: Any, names: tuple[str, ...], case: Any, folder: Path) -> None:
    items = read(_read_files(make, names, case, folder))
    if case[-2] == "plain":  # each line is a record or a dead letter
        contents = case[:1] if make is PARALLEL else case[:-2]
        assert len(items) == sum(d.count(b"\n") + (not d.endswith(b"\n")) for d in contents)


def _read_documents(case: Any, folder: Path) -> None:
    names = ("train/neg/1.txt", "train/pos/2.txt", "test/pos/3.txt")
    assert len(read(_read_files(LabelFolders, names, case, folder))) == len(names)


def _read_stream(case: Any, folder: Path) -> None:
    *files, begin = case
    for path in folder.rglob("*.txt"):
        path.unlink()
    source = _read_files(partial(TextStreams, begin=begin), ("train.txt",), files, folder)
    items = read(source)
    if files[1] == "plain" and files[2] == "utf-8" and begin is None:
        spans = [item for item in items if not isinstance(item, DeadLetter)]
        if len(spans) == len(items) and b"\r" not in files[0] and b"\xef\xbb\xbf" not in files[0]:
            text = "".join(read_span(item.fields) for item in spans)
            assert text == files[0].decode()


def _read_label(case: Any, folder: Path) -> None:
    assert read_optional_label(None) is None
    name = read_label(case)
    assert read_label(name) == name
    assert label_notices([name, name.upper()])


def _read_vectors(case: bytes, folder: Path) -> None:
    file = VectorFile(put(folder / "vectors.txt", case))
    rows = [row for row in file if row is not None]
    for row in rows:
        vector = row.read(file.size)
        assert vector is None or (vector.shape == (file.size,) and np.isfinite(vector).all())
    if case in _VECTORS:
        assert [row.word for row in rows] == ["red", "blue"]
        assert [row.read(3).tolist() for row in rows] == [[1.0, 2.0, 3.0], [0.5, -1.0, 0.25]]


def _read_text(case: str, folder: Path) -> None:
    normal = Normalizer()(case)
    assert Normalizer()(normal) == normal
    marked = Normalizer(mark_joins=True, lowercase=False, drop_tags=True)
    marked.join(marked(case))
    tokenize_caption(case)
    normalize_answer(case)


PARALLEL = partial(Parallel, source="de", target="en")
_PAIR_TABLE = partial(PairTable, source="de", target="en")
_FORMULA = b'=cmd|" /C calc"!A0'
_PIECES = st.sampled_from(
    [token.decode(errors="replace") for token in TOKENS]
    + ["a.", "a__", "1,", "n't", "<a", "&a", "A&", "@", "#", "' ", "-", "don", "...", "\u0301"]
)
_TEXTS = st.lists(st.tuples(_PIECES, st.integers(1, 60)), max_size=6).map(
    lambda parts: "".join((piece * times)[:1000] for piece, times in parts)
)


def _table(name: str, make: Any, file: str, raw: bytes, share: int) -> Reader:
    tokens = (b",", b"\t", b'"a","b"\n', b"text,label\n", _FORMULA)
    cases = st.tuples(mutated(raw, tokens), PACKINGS, _ENCODING)
    return Reader(name, cases, partial(_read_table, make, file), share)


def _lines(name: str, make: Any, files: tuple[str, ...], raw: bytes, share: int) -> Reader:
    contents = [mutated(raw, (b"\n\n", b"A:b c\n")) for _ in files]
    cases = st.tuples(*contents, PACKINGS, _ENCODING)
    return Reader(name, cases, partial(_read_lines, make, files), share)


READERS = (
    _table("CSV of classes", ClassTable, "train.csv", _TABLE, 200),
    _table("TSV of classes", ClassTable, "train.tsv", _TSV, 150),
    _table("JSON lines of classes", ClassTable, "train.jsonl", _JSONL, 200),
    _table("CSV of pairs", _PAIR_TABLE, "train.csv", _PAIRS, 150),
    _lines("parallel text", PARALLEL, ("train.de", "train.en"), _LINES, 200),
    _lines("TREC questions", Trec, ("train.label",), _TREC, 150),
    _lines("files of labels", LabelFiles, ("rt.neg", "rt.pos"), _LINES, 150),
    Reader(
        "folders of labels",
        st.tuples(*[mutated(_LINES)] * 3, PACKINGS, _ENCODING),
        _read_documents,
        150,
    ),
    Reader(
        "streams of text",
        st.tuples(
            mutated(_STREAM, (b" = C = \n",)),
            PACKINGS,
            _ENCODING,
            st.sampled_from((None, None, "^ = [^=]+ = $", "", "(", "$", "\\ud800")),
        ),
        _read_stream,
        200,
    ),
    Reader(
        "files of word vectors",
        st.sampled_from(_VECTORS).flatmap(lambda raw: mutated(raw, (b"2 3\n", b"9 999999\n"))),
        _read_vectors,
        200,
    ),
    Reader("names of classes", st.one_of(st.sampled_from(ODD), _TEXTS), _read_label, 200),
    Reader("texts", _TEXTS, _read_text, 200),
)
