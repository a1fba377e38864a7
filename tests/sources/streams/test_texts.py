import gzip
import random

import pytest

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.streams import spans
from rnnpipe.sources.streams.spans import read_span
from rnnpipe.sources.streams.texts import TextStreams
from tests.sources.reading import ignore_progress


def texts_of(source):
    """The text of each document of each split, joined from its spans."""
    source.prepare(ignore_progress)
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


def test_undecodable_bytes_are_reported(tmp_path):
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
        TextStreams(path=tmp_path).prepare(ignore_progress)
    with pytest.raises(UserError, match="got nothing there"):
        TextStreams(path=tmp_path / "missing").prepare(ignore_progress)
    with pytest.raises(UserError, match=r"begin: expected a regular expression"):
        TextStreams(path=tmp_path, begin="(")
    with pytest.raises(UserError, match=r"encoding: expected an encoding such as utf-8"):
        TextStreams(path=tmp_path, encoding="utf-9")
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(UserError, match="an empty file"):
        TextStreams(path=tmp_path).prepare(ignore_progress)


MANY_BYTES = {  # a passage of letters of several bytes, without a space or a line feed
    "utf-8": "ein🙂Bär",
    "gb18030": "他说这是一个很长的段落𠀀没有空格",
    "gbk": "他说这是一个很长的段落没有空格",
    "gb2312": "他说这是一个很长的段落没有空格",
    "big5": "他說這是一個很長的段落沒有空格",
    "big5hkscs": "他說這是一個很長的段落沒有空格",
    "shift_jis": "これは長い段落でスペースがありませんｱｲｳ",
    "cp932": "これは長い段落でスペースがありません",
    "euc_jp": "これは長い段落でスペースがありません",
    "euc_kr": "이것은긴단락입니다",
    "johab": "이것은긴단락입니다",
    "iso2022_jp": "これはabc長い段落で",
    "iso2022_jp_2": "これはabc長い段落で",
    "iso2022_kr": "이것은abc긴단락입니다",
    "hz": "他说这是abc一个很长的段落",
    "utf-7": "이것은 abc 긴단락입니다",
}


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("encoding", MANY_BYTES)
def test_spans_end_between_the_characters_of_any_encoding(tmp_path, encoding, zipped):
    rng = random.Random(encoding)
    passage = MANY_BYTES[encoding] * 3
    text = passage + "".join(
        rng.choice(passage) + rng.choice(["", "", "", " ", "\n", "\r\n"]) for _ in range(500)
    )
    raw = text.encode(encoding)
    path = tmp_path / "book.txt"
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    for shares in ({}, {"validation": 0.3, "test": 0.3}):
        splits = texts_of(TextStreams(path=path, encoding=encoding).hold_out(shares))
        whole = "".join(text for documents in splits.values() for text in documents.values())
        assert whole == text.replace("\r\n", "\n")
        assert len(splits) == len(shares) + 1


@pytest.mark.parametrize("encoding", ["gb18030", "shift_jis", "iso2022_kr"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_document_without_a_space_is_divided_between_characters(tmp_path, encoding, zipped):
    text = "一二人" * 40_001
    raw = text.encode(encoding)
    path = tmp_path / "book.txt"
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    source = TextStreams(path=path, encoding=encoding).hold_out({"validation": 0.3})
    assert "".join(t for split in texts_of(source).values() for t in split.values()) == text


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "iso2022_jp", "iso2022_kr"])
@pytest.mark.parametrize("zipped", [False, True])
def test_titles_in_any_encoding(tmp_path, encoding, zipped):
    raw = "＝一＝\nabc 人\n＝二＝\r\nmore\n".encode(encoding)
    path = tmp_path / "book.txt"
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    assert texts_of(TextStreams(path=path, encoding=encoding, begin="^＝.+＝$")) == {
        "train": {"book.txt#000000": "＝一＝\nabc 人\n", "book.txt#000001": "＝二＝\nmore\n"}
    }


@pytest.mark.parametrize("zipped", [False, True])
def test_a_match_inside_a_line_begins_no_document(tmp_path, zipped):
    lines = ["a" * 65536 + "= Two =", "= Three =" + "a" * 65526 + "=", "b", "= Four ="]
    raw = "\n".join(lines).encode()
    path = tmp_path / "book.txt"
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    documents = texts_of(TextStreams(path=path, begin="^= .* =$"))["train"]
    assert list(documents.values()) == ["\n".join(lines[:3]) + "\n", lines[3]]
    assert len(texts_of(TextStreams(path=path, begin="^= "))["train"]) == 3


def test_a_line_end_is_never_cut_in_two(tmp_path):
    path = tmp_path / "book.txt"
    for length in range(4090, 4100):
        path.write_bytes(b"x" * length + b"\r\n" + b"y" * 100 + b"\r\n")
        text = "x" * length + "\n" + "y" * 100 + "\n"
        assert texts_of(TextStreams(path=path)) == {"train": {"book.txt": text}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-7"])
def test_byte_order_marks_at_starts_of_lines_are_removed(tmp_path, encoding):
    text = "\ufeffTo be.\n\ufeffOr \ufeffnot.\n"
    raw = text.encode(encoding.removesuffix("-sig"))
    path = tmp_path / "book.txt"
    path.write_bytes(raw)
    source = TextStreams(path=path, encoding=encoding)
    assert texts_of(source) == {"train": {"book.txt": "To be.\nOr \ufeffnot.\n"}}


def test_a_file_with_nothing_but_a_mark_is_refused(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes(b"\xef\xbb\xbf")
    with pytest.raises(BadRecord, match="nothing but a byte order mark"):
        texts_of(TextStreams(path=path))


@pytest.mark.parametrize("encoding", ["gb18030", "iso2022_jp", "hz"])
def test_undecodable_bytes_reject_one_span(tmp_path, encoding):
    lines = ["一二 人 abc\n".encode(encoding)] * 3000
    lines[1500] = b"abc \xff\xff\n"
    offset = len(b"".join(lines[:1500])) + 4
    path = tmp_path / "book.txt"
    path.write_bytes(gzip.compress(b"".join(lines)))
    source = TextStreams(path=path, encoding=encoding)
    raw = list(source.read(source.partitions()[0]))
    (letter,) = (r for r in raw if isinstance(r, DeadLetter))
    assert letter.source == "book.txt"
    assert letter.reason == f"byte 0xff at {offset} is no text in {encoding}"
    texts = "".join(read_span(r.fields) for r in raw if not isinstance(r, DeadLetter))
    assert 2000 < texts.count("一二 人 abc\n") < 3000
    assert set(texts.splitlines()) == {"一二 人 abc"}


def test_half_a_surrogate_pair_is_a_dead_letter(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes(b"a +2D0- b\n")
    source = TextStreams(path=path, encoding="utf-7")
    (letter,) = source.read(source.partitions()[0])
    assert letter.reason.startswith("no text in utf-7 (")


def write_files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\n")


def test_other_files_beside_those_of_splits_are_skipped_and_reported(tmp_path):
    write_files(tmp_path, "wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens", "more.txt")
    write_files(tmp_path, "README.txt", "notes.md")
    source = TextStreams(path=tmp_path)
    assert {split: list(texts) for split, texts in texts_of(source).items()} == {
        "train": ["wiki.train.tokens"],
        "validation": ["wiki.valid.tokens"],
        "test": ["wiki.test.tokens"],
    }
    assert source.split_names == {"train", "validation", "test"}
    assert source.notices == [
        "data.source: README.txt, notes.md are not read; texts end in .txt or .tokens, and README "
        "is none",
        "data.source: more.txt is not read; name it after a split, as the others are",
    ]


def test_files_of_a_folder_are_found_at_any_depth_and_in_any_case(tmp_path):
    write_files(tmp_path, "chapter1.txt", "CHAPTER2.TXT", "more/chapter3.txt", ".hidden/4.txt")
    write_files(tmp_path, "records/dataset_info.json", "records/5.txt")
    (tmp_path / "more/6.txt.gz").write_bytes(gzip.compress(b"six\n"))
    source = TextStreams(path=tmp_path)
    assert texts_of(source) == {
        "train": {
            "CHAPTER2.TXT": "CHAPTER2.TXT\n",
            "chapter1.txt": "chapter1.txt\n",
            "more/6.txt.gz": "six\n",
            "more/chapter3.txt": "more/chapter3.txt\n",
        }
    }
    assert source.notices == []
    (tmp_path / "chapter1.txt.gz").write_bytes(gzip.compress(b"one\n"))
    with pytest.raises(UserError, match=r"got chapter1\.txt and chapter1\.txt\.gz; move one"):
        TextStreams(path=tmp_path).prepare(ignore_progress)


def test_folders_of_splits(tmp_path):
    write_files(tmp_path, "train/1.txt", "train/deep/2.txt", "test/1.txt")
    assert {
        split: list(texts) for split, texts in texts_of(TextStreams(path=tmp_path)).items()
    } == {
        "train": ["train/1.txt", "train/deep/2.txt"],
        "test": ["test/1.txt"],
    }


@pytest.mark.parametrize("names", [["a.txt", "test.txt"], ["a.txt", "train.txt"]])
def test_a_document_named_like_a_split_is_reported(tmp_path, names):
    write_files(tmp_path, *names)
    source = TextStreams(path=tmp_path)
    assert {split: list(texts) for split, texts in texts_of(source).items()} == {"train": names}
    (notice,) = source.notices
    assert notice.startswith(f"data.source: {names[1]} is training text like all other files; ")


def test_documentation_is_no_document(tmp_path):
    write_files(tmp_path, "train.txt", "README.txt", "LICENSE.txt")
    source = TextStreams(path=tmp_path).hold_out({"test": 0.1})
    source.prepare(ignore_progress)
    assert [partition.path.name for partition in source.partitions()] == ["train.txt"]
    assert len(source.notices) == 1
    assert "LICENSE.txt, README.txt are not read" in source.notices[0]
