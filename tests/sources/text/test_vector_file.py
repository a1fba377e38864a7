"""Files of word vectors."""

import gzip
import struct

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.text.vector_file import VectorFile

ROWS = {"the": [0.5, -1.0, 2e-3], ". . .": [1.0, 2.0, 3.0], "café": [0.0, 0.25, -0.5]}


def glove(rows=ROWS):
    """The text that GloVe writes."""
    return "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in rows.items()).encode()


def word2vec(rows=ROWS, end=b"\n"):
    """The bytes that word2vec writes."""
    lines = (w.encode() + b" " + struct.pack("<3f", *row) + end for w, row in rows.items())
    return f"{len(rows)} 3\n".encode() + b"".join(lines)


BINARY = {word: row for word, row in ROWS.items() if " " not in word}
FORMS = {
    "glove": (glove(), ROWS),
    "glove, windows": (glove().replace(b"\n", b"\r\n"), ROWS),
    "tabs": (glove(BINARY).replace(b" ", b"\t"), BINARY),
    "word2vec text": (b"3 3\n" + glove(), ROWS),
    "fasttext, spaces at line ends": (b"3 3\n" + glove().replace(b"\n", b" \n"), ROWS),
    "word2vec binary": (word2vec(BINARY), BINARY),
    "word2vec binary without line ends": (word2vec(BINARY, end=b""), BINARY),
    "gzip": (gzip.compress(glove()), ROWS),
    "gzip of binary": (gzip.compress(word2vec(BINARY)), BINARY),
}


@pytest.mark.parametrize("form", FORMS)
def test_words_and_vectors_of_every_form(form, tmp_path):
    content, rows = FORMS[form]
    path = tmp_path / "vectors"
    path.write_bytes(content)
    file = VectorFile(path)
    assert file.size == 3
    read = {row.word: row.read(3) for row in file}
    assert list(read) == list(rows)
    for word, row in rows.items():
        np.testing.assert_array_equal(read[word], np.array(row, np.float32))


def test_a_long_binary_file_is_read_in_pieces(tmp_path):
    generator = np.random.default_rng(1)
    table = generator.normal(size=(30000, 3)).astype("<f4")  # with spaces and line ends among them
    words = [f"word{number}" for number in range(len(table))]
    rows = (f"{word} ".encode() + row.tobytes() for word, row in zip(words, table, strict=True))
    (tmp_path / "v.bin").write_bytes(b"30000 3\n" + b"".join(rows))
    read = list(VectorFile(tmp_path / "v.bin"))
    assert [row.word for row in read] == words
    np.testing.assert_array_equal([row.read(3) for row in read], table)


@pytest.mark.parametrize("line", [b"a 1 2\n", b"a 1 2 x\n", b"a 1 2 nan\n", b"\xff 1 2 3\n", b"\n"])
def test_what_is_no_row_is_none(line, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"the 1 2 3\n" + line + b"of 4 5 6\n")
    first, broken, last = VectorFile(path)
    assert (first.word, last.word) == ("the", "of")
    assert broken is None or broken.read(3) is None


FAULTS = {
    "cut text": (b"3 3\n" + glove(BINARY), "expected 3 words, got 2: the file is cut"),
    "cut binary": (word2vec(BINARY)[:-9], "expected 2 words, got 1: the file is cut"),
    "binary model of fastText": (b"\xba\x16\x4f\x2f" + bytes(80), "name the .vec file"),
    "zip": (b"PK\x03\x04" + bytes(80), "got a zip archive"),
    "prose": (b"Once upon a time\n", "expected a word and the numbers of its vector"),
    "empty": (b"", "expected a word and the numbers of its vector"),
    "damaged gzip": (gzip.compress(glove())[:-12], "damaged gzip"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_file_of_vectors_is_refused(fault, tmp_path):
    content, message = FAULTS[fault]
    (tmp_path / "vectors").write_bytes(content)
    with pytest.raises(UserError, match=message):
        list(VectorFile(tmp_path / "vectors"))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        _ = VectorFile(tmp_path / "vectors").size
