import pytest

from rnnpipe.errors import BadRecord, UserError
from rnnpipe.sources.streams import spans
from rnnpipe.sources.streams.spans import read_span
from rnnpipe.sources.streams.texts import TextStreams


def texts_of(source):
    """The text of each document of each split, joined from its spans."""
    source.prepare(lambda done, total: None)
    texts = {}
    for partition in source.partitions():
        for reference in source.read(partition):
            documents = texts.setdefault(reference.split, {})
            parts = documents.setdefault(reference.group, [])
            assert reference.fields["number"] == len(parts)
            parts.append(read_span(reference.fields))
    return {
        split: {name: "".join(parts) for name, parts in documents.items()}
        for split, documents in texts.items()
    }


@pytest.fixture
def short_spans(monkeypatch):
    monkeypatch.setattr(spans, "SPAN_BYTES", 7)


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize(
    "text", ["one two\nthree\n\nfour", "no-space-at-all-here", "ein Bär für Ödön — größer 🙂🙂🙂\n"]
)
def test_spans_are_the_text_whole(tmp_path, text):
    path = tmp_path / "book.txt"
    path.write_text(text)
    assert texts_of(TextStreams(path=path)) == {"train": {"book.txt": text}}


@pytest.mark.usefixtures("short_spans")
def test_words_stay_whole_and_line_ends_are_normalised(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes(b"to be\r\nor not\r\nto be")
    source = TextStreams(path=path)
    (partition,) = source.partitions()
    texts = [read_span(reference.fields) for reference in source.read(partition)]
    assert texts == ["to be\n", "or ", "not\n", "to be"]


def test_a_single_document_is_split_by_position_after_a_line(tmp_path):
    path = tmp_path / "book.txt"
    lines = [f"line {number:04d}\n" for number in range(100)]
    path.write_text("".join(lines))
    source = TextStreams(path=path).hold_out({"validation": 0.1, "test": 0.05})
    assert source.split_names == {"train", "validation", "test"}
    assert texts_of(source) == {
        "train": {"book.txt@train": "".join(lines[:85])},
        "validation": {"book.txt@validation": "".join(lines[85:95])},
        "test": {"book.txt@test": "".join(lines[95:])},
    }


def test_a_folder_is_split_by_the_names_of_its_files(tmp_path):
    for name in ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"):
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / "notes.md").write_text("not read\n")
    assert texts_of(TextStreams(path=tmp_path)) == {
        "train": {"wiki.train.tokens": "wiki.train.tokens\n"},
        "validation": {"wiki.valid.tokens": "wiki.valid.tokens\n"},
        "test": {"wiki.test.tokens": "wiki.test.tokens\n"},
    }


def test_other_files_are_documents_to_hold_out_whole(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"{name}\n")
    source = TextStreams(path=tmp_path).hold_out({"validation": 0.5})
    assert source.split_names == {"train"}
    assert texts_of(source) == {"train": {"a.txt": "a.txt\n", "b.txt": "b.txt\n"}}


def test_documents_of_one_file_are_not_divided(tmp_path):
    path = tmp_path / "wiki.txt"
    path.write_text("# One\ntext\n# Two\nmore\n")
    source = TextStreams(path=path, begin="^# ").hold_out({"validation": 0.5})
    assert source.split_names == {"train"}
    assert list(texts_of(source)["train"]) == ["wiki.txt#000000", "wiki.txt#000001"]


def test_how_a_text_is_divided_is_part_of_the_fingerprint(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("a\n" * 100)
    source = TextStreams(path=path)
    settings = {"names": ["book.txt"], "begin": None, "encoding": "utf-8"}
    assert dict(source.settings) == settings
    assert dict(source.hold_out({"test": 0.5}).settings) == {**settings, "shares": {"test": 0.5}}
    assert source.hold_out({}) is source


def test_documents_begin_at_matching_lines(tmp_path):
    path = tmp_path / "wiki.txt"
    path.write_text(" = One = \n = = Part = = \ntext\n = Two = \nmore\n")
    assert texts_of(TextStreams(path=path, begin="^ = [^=]+ = $")) == {
        "train": {
            "wiki.txt#000000": " = One = \n = = Part = = \ntext\n",
            "wiki.txt#000001": " = Two = \nmore\n",
        }
    }


def test_bytes_that_are_no_text_are_reported(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes(b"caf\xe9\n")
    (reference,) = TextStreams(path=path).read(TextStreams(path=path).partitions()[0])
    with pytest.raises(BadRecord, match="byte 0xe9 at 3 is no text in utf-8"):
        read_span(reference.fields)
    assert texts_of(TextStreams(path=path, encoding="latin-1"))["train"] == {"book.txt": "café\n"}
    path.write_bytes(b"")
    with pytest.raises(BadRecord, match="shorter"):
        read_span(reference.fields)
    path.unlink()
    with pytest.raises(BadRecord, match="No such file"):
        read_span(reference.fields)


def test_wrong_settings_and_files_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"expected a text file, or a folder .* got none"):
        TextStreams(path=tmp_path).prepare(lambda done, total: None)
    with pytest.raises(UserError, match="got nothing there"):
        TextStreams(path=tmp_path / "missing").prepare(lambda done, total: None)
    with pytest.raises(UserError, match=r"begin: expected a regular expression"):
        TextStreams(path=tmp_path, begin="(")
    with pytest.raises(UserError, match=r"encoding: expected an encoding such as utf-8"):
        TextStreams(path=tmp_path, encoding="utf-9")
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(UserError, match="an empty file"):
        TextStreams(path=tmp_path).prepare(lambda done, total: None)
